package docs_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	accessv1 "github.com/siyiban/onething/proto/gen/onething/access/v1"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// The page of security has a row for the methods of each service that the same roles may call, as the schema says.
func TestSecurity_WhoMayCall(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	protoregistry.GlobalFiles.RangeFilesByPackage(apiv1.File_onething_api_v1_common_proto.Package(), func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			rows = append(rows, rowsOf(t, file.Services().Get(i))...)
		}
		return true
	})
	if len(rows) == 0 {
		t.Fatal("there are no services")
	}
	for _, row := range rows {
		if !strings.Contains(string(page), row+"\n") {
			t.Errorf("security.md lacks the row\n%s", row)
		}
	}
	if got := strings.Count(string(page), "\n| `"); got != len(rows) {
		t.Errorf("security.md has %d rows of methods, the schema %d", got, len(rows))
	}
}

// rowsOf are the rows of a service: one for each set of roles, with the methods that it may call.
func rowsOf(t *testing.T, service protoreflect.ServiceDescriptor) []string {
	t.Helper()
	var who []string
	methods := map[string][]string{}
	for i := range service.Methods().Len() {
		method := service.Methods().Get(i)
		access, ok := proto.GetExtension(method.Options(), accessv1.E_Access).(*accessv1.Access)
		if !ok || access == nil {
			t.Fatalf("%s has no access option", method.FullName())
		}
		roles := []string{"anyone"}
		if !access.GetAnyone() {
			roles = nil
			for _, r := range access.GetRoles() {
				roles = append(roles, strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(r.String(), "ROLE_")), "_", " "))
			}
		}
		callers := fmt.Sprintf("%s | %s", strings.Join(roles, ", "), strings.ToLower(strings.TrimPrefix(access.GetScope().String(), "SCOPE_")))
		if !slices.Contains(who, callers) {
			who = append(who, callers)
		}
		methods[callers] = append(methods[callers], string(method.Name()))
	}
	var rows []string
	for _, callers := range who {
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", service.Name(), strings.Join(methods[callers], ", "), callers))
	}
	return rows
}
