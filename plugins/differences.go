package plugins

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// MaxDifferences is how many paths [Differences] returns at most.
const MaxDifferences = 50

// Differences returns the paths at which two answers differ, in order, such as `decision.outcome` or
// `decision.result.retire_date.text`: names of members and fields, never a value.
func Differences(a, b *pluginv1.Response) []string {
	var paths []string
	differ("", a.ProtoReflect(), b.ProtoReflect(), func(path string) {
		if len(paths) < MaxDifferences {
			paths = append(paths, path)
		}
	})
	return paths
}

func differ(at string, a, b protoreflect.Message, tell func(string)) {
	fields := a.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		path := string(field.Name())
		if at != "" {
			path = at + "." + path
		}
		x, y := a.Get(field), b.Get(field)
		switch {
		case field.IsMap():
			differMaps(path, field, x.Map(), y.Map(), tell)
		case field.IsList():
			if x.List().Len() != y.List().Len() {
				tell(path)
				continue
			}
			for n := range x.List().Len() {
				differOne(fmt.Sprintf("%s[%d]", path, n), field, x.List().Get(n), y.List().Get(n), tell)
			}
		case field.Message() != nil && a.Has(field) != b.Has(field):
			tell(path)
		default:
			differOne(path, field, x, y, tell)
		}
	}
}

func differOne(path string, field protoreflect.FieldDescriptor, x, y protoreflect.Value, tell func(string)) {
	if field.Message() != nil {
		differ(path, x.Message(), y.Message(), tell)
	} else if !x.Equal(y) {
		tell(path)
	}
}

func differMaps(path string, field protoreflect.FieldDescriptor, x, y protoreflect.Map, tell func(string)) {
	keys := map[string]protoreflect.MapKey{}
	for _, m := range []protoreflect.Map{x, y} {
		m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
			keys[k.String()] = k
			return true
		})
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		k := keys[name]
		if x.Has(k) != y.Has(k) {
			tell(path + "." + name)
		} else {
			differOne(path+"."+name, field.MapValue(), x.Get(k), y.Get(k), tell)
		}
	}
}
