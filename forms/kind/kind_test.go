package kind

import "testing"

func TestKindNames(t *testing.T) {
	t.Parallel()
	for k := KindText; k <= KindList; k++ {
		if got, ok := Parse(k.String()); !ok || got != k {
			t.Errorf("Parse(%q) = %v, %v", k, got, ok)
		}
	}
	for _, name := range []string{"", "text", "no kind"} {
		if got, ok := Parse(name); ok {
			t.Errorf("Parse(%q) = %v, want none", name, got)
		}
	}
}
