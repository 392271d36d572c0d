// Package manifest reads and checks what a plugin says about itself: the custom section `onething.manifest` of its
// .wasm file, and the manifest.yaml beside a guest's source that it is made of. It runs no WebAssembly.
package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// SectionName is the name of the custom section that holds the manifest, a onething.plugin.v1.Manifest in the binary
// encoding.
const SectionName = "onething.manifest"

// InterfaceVersion is the version of the interface between host and plugin that this host speaks.
const InterfaceVersion = 1

// The capabilities that a plugin can ask for.
const (
	// CapabilitySharedData is to look up shared data of the sources in shared_data_sources.
	CapabilitySharedData = "shared_data"
	// CapabilityKeyValue is to use the store of the department.
	CapabilityKeyValue = "key_value"
	// CapabilityHTTP is to ask the outside systems in http_hosts.
	CapabilityHTTP = "http"
	// CapabilityLog is to write lines with the codes in log_codes.
	CapabilityLog = "log"
)

// maxBytes bounds a manifest: some lines of text.
const maxBytes = 16 << 10

var (
	// ErrMissing says that a module carries no manifest.
	ErrMissing = errors.New("manifest: the module carries none: pack it with `onething plugin pack`")
	// ErrPresent says that a module already carries a manifest.
	ErrPresent = errors.New("manifest: the module already carries one")
)

// Fault is one thing wrong with a manifest.
type Fault struct {
	// Field is the name of the member in the schema, for example `hooks`.
	Field string
	// Message says what is wrong and what would be right.
	Message string
}

// InvalidError says everything that is wrong with a manifest.
type InvalidError struct{ Faults []Fault }

// Error lists the faults in one line.
func (e *InvalidError) Error() string {
	texts := make([]string, 0, len(e.Faults))
	for _, f := range e.Faults {
		texts = append(texts, f.Field+" "+f.Message)
	}
	return "manifest: " + strings.Join(texts, "; ")
}

// Read returns the manifest that a module carries, checked.
func Read(wasm []byte) (*pluginv1.Manifest, error) {
	sections, err := Sections(wasm)
	if err != nil {
		return nil, err
	}
	var found []byte
	for _, s := range sections {
		if s.ID != CustomSection || s.Name != SectionName {
			continue
		}
		// Two could be read differently by two readers.
		if found != nil {
			return nil, ErrPresent
		}
		found = s.Body
		if found == nil {
			found = []byte{}
		}
	}
	if found == nil {
		return nil, ErrMissing
	}
	if len(found) > maxBytes {
		return nil, fmt.Errorf("manifest: %d bytes are more than %d", len(found), maxBytes)
	}
	m := new(pluginv1.Manifest)
	if err := proto.Unmarshal(found, m); err != nil {
		return nil, errors.New("manifest: the section holds no message onething.plugin.v1.Manifest")
	}
	if err := Check(m); err != nil {
		return nil, err
	}
	return m, nil
}

// Append returns the module with the manifest as a further custom section at its end. The manifest is checked, and a
// module that already carries one is refused.
func Append(wasm []byte, m *pluginv1.Manifest) ([]byte, error) {
	if err := Check(m); err != nil {
		return nil, err
	}
	sections, err := Sections(wasm)
	if err != nil {
		return nil, err
	}
	for _, s := range sections {
		if s.Name == SectionName {
			return nil, ErrPresent
		}
	}
	message, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	name := protowire.AppendString(nil, SectionName) // a varint is LEB128, and so is a string's length
	out := make([]byte, 0, len(wasm)+len(name)+len(message)+8)
	out = append(append(out, wasm...), CustomSection)
	out = protowire.AppendVarint(out, uint64(len(name)+len(message)))
	out = append(append(out, name...), message...)
	if len(out) > MaxModuleBytes {
		return nil, fmt.Errorf("%w: %d bytes are more than %d", ErrNotWasm, len(out), MaxModuleBytes)
	}
	return out, nil
}

// Forms of the members. Ids are those of the bundle language.
var (
	idForm      = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	pluginForm  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}/[a-z][a-z0-9_]{0,39}$`)
	versionForm = regexp.MustCompile(`^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})(-[0-9A-Za-z.-]{1,40})?$`)
)

// Check tells everything that is wrong with a manifest at once, as an [*InvalidError].
func Check(m *pluginv1.Manifest) error {
	var faults []Fault
	fault := func(ok bool, field, message string) {
		if !ok {
			faults = append(faults, Fault{Field: field, Message: message})
		}
	}
	text := func(s string, most int) bool {
		return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
	}
	fault(pluginForm.MatchString(m.GetId()), "id", "must be `<organisation>/<name>` in lower snake case, for example `hrss/pension`")
	fault(versionForm.MatchString(m.GetVersion()), "version", "must be a semantic version, for example `1.0.0`")
	fault(idForm.MatchString(m.GetDepartment()), "department", "must be the id of a department in lower snake case")
	fault(m.GetNameZh() != "" && text(m.GetNameZh(), 200), "name_zh", "must say in Chinese what the plugin does, in at most 200 characters")
	fault(text(m.GetNameEn(), 400), "name_en", "must be one line of at most 400 characters")
	fault(text(m.GetSdk(), 100), "sdk", "must be one line of at most 100 characters")
	fault(m.GetInterfaceVersion() == InterfaceVersion, "interface_version", "must be "+strconv.Itoa(InterfaceVersion)+", the version that this host speaks")

	fault(len(m.GetHooks()) > 0, "hooks", "must name at least one hook")
	seen := map[pluginv1.Hook]bool{}
	for _, h := range m.GetHooks() {
		_, known := pluginv1.Hook_name[int32(h)]
		fault(known && h != pluginv1.Hook_HOOK_UNSPECIFIED && !seen[h], "hooks", "must name each of HOOK_PREFILL, HOOK_CHECK, HOOK_DECIDE, HOOK_ISSUE, HOOK_REVOKE at most once and nothing else")
		seen[h] = true
	}
	faults = append(faults, checkCapabilities(m)...)
	repeatable := map[pluginv1.Hook]bool{}
	for _, h := range m.GetRepeatable() {
		fault(slices.Contains(m.GetHooks(), h) && !repeatable[h], "repeatable", "must name hooks of `hooks`, each at most once")
		repeatable[h] = true
	}
	fault(len(m.GetRepeatable()) == 0 || slices.Contains(m.GetCapabilities(), CapabilityHTTP), "repeatable",
		"says what may be asked twice of an outside system, and needs `http` in `capabilities`; what reaches none is always repeatable")
	if faults == nil {
		return nil
	}
	return &InvalidError{Faults: faults}
}
