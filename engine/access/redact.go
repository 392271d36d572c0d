package access

import (
	"strings"

	"github.com/siyiban/onething/forms"
)

// Redact returns the values of a record that the needs name, as a new map. A need is a path (`form.mother.id_no`) or
// the beginning of paths up to a dot (`form.mother`: the whole section). Everything else is left out, so that
// what a step does not need is not known to exist. The values are shared with the record.
func Redact[V any](record map[forms.Path]V, needs []forms.Path) map[forms.Path]V {
	seen := make(map[forms.Path]V)
	for path, value := range record {
		for _, need := range needs {
			if covers(need, path) {
				seen[path] = value
				break
			}
		}
	}
	return seen
}

// covers says whether the need names the path or a whole that the path is part of.
func covers(need, path forms.Path) bool {
	rest, ok := strings.CutPrefix(string(path), string(need))
	return ok && need != "" && (rest == "" || rest[0] == '.')
}
