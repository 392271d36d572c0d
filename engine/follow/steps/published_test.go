package steps

import (
	"testing"

	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/forms/kind"
)

// A request stays bounded, whatever a province has published: the latest values count.
func TestPublished_Bounded(t *testing.T) {
	t.Parallel()
	var values []catalog.ParameterValue
	for year := range 200 {
		values = append(values, catalog.ParameterValue{From: kind.Date{Year: 1900 + year, Month: 1, Day: 1}, Until: kind.Date{Year: 1900 + year, Month: 12, Day: 31}, Value: kind.Int(year)})
	}
	got, err := published(catalog.Parameters{"base": values, "elsewhere": {{Place: "11", Value: kind.Int(1)}}}, "321323")
	if err != nil {
		t.Fatal(err)
	}
	base := got["base"].GetValues()
	if len(got) != 1 || len(base) != maxPublished {
		t.Fatalf("%d parameters, %d values", len(got), len(base))
	}
	if first, last := base[0].GetFrom(), base[maxPublished-1].GetFrom(); first != "2099-01-01" || last != "2036-01-01" {
		t.Errorf("from %s to %s", first, last)
	}
}
