package plugintest

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	plugin "github.com/siyiban/onething/sdk/go"
)

// grant is a small plugin with something of everything.
var grant = plugin.Plugin{
	Prefill: func(call *plugin.Call) (plugin.Values, error) {
		number, ok := call.CitizenNumber("form.heir.id_no")
		if !ok {
			return nil, nil
		}
		entry, err := call.SharedData("register", string(number), "预填申请表")
		if err != nil || !entry.Found {
			return nil, err
		}
		name, _ := entry.Values.Text("name")
		return plugin.Values{"form.heir.name": plugin.Text(name)}, nil
	},
	Check: func(call *plugin.Call) ([]plugin.Finding, error) {
		m, _ := call.Material("death_certificate")
		if m.Origin == "APPLICANT" {
			return nil, nil
		}
		return []plugin.Finding{{Code: "no_certificate", TextZH: "请补交死亡证明"}}, nil
	},
	Decide: func(call *plugin.Call) (plugin.Decision, error) {
		death, ok := call.Date("form.decedent.death_date")
		if !ok {
			return plugin.Undetermined(plugin.Finding{Code: "no_date", Path: "form.decedent.death_date", TextZH: "缺少死亡日期"}), nil
		}
		if death.After(call.Today()) {
			return plugin.Reject(plugin.Finding{Code: "future", Severity: plugin.Obstacle, Path: "form.decedent.death_date", TextZH: "死亡日期晚于受理日"}), nil
		}
		income, ok := call.Parameters.Money("urban_income_month")
		if !ok {
			return plugin.Decision{}, errors.New("parameter urban_income_month is not published")
		}
		return plugin.Approve(plugin.Values{"funeral_grant": 2 * income}), nil
	},
	Issue: func(call *plugin.Call) (plugin.Document, error) {
		amount, _ := call.Result.Money("funeral_grant")
		return plugin.Document{MediaType: "text/plain; charset=utf-8", Content: []byte("丧葬补助金 " + amount.String() + " 元")}, nil
	},
	Revoke: func(*plugin.Call) (plugin.Revocation, error) { return plugin.Revocation{Revoked: true}, nil },
}

func decideCase(name string, answers plugin.Values, want Want) Case {
	return Case{
		Name: name, Hook: plugin.HookDecide, Bundle: "after_death", Step: "survivors", Today: "2026-03-02", Answers: answers,
		Parameters: plugin.Values{"urban_income_month": plugin.Money(281850)}, Want: want,
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	Run(t, grant, []Case{
		decideCase("granted", plugin.Values{"form.decedent.death_date": plugin.MustDate("2026-02-10")},
			Want{Outcome: plugin.Approved, Result: plugin.Values{"funeral_grant": plugin.Money(563700)}}),
		decideCase("blank", nil, Want{Outcome: plugin.NotDecidable, Findings: []string{"no_date@form.decedent.death_date"}}),
		decideCase("in the future", plugin.Values{"form.decedent.death_date": plugin.MustDate("2026-03-03")},
			Want{Outcome: plugin.Rejected, Findings: []string{"future"}}),
		{Name: "parameter not published", Hook: plugin.HookDecide, Today: "2026-03-02",
			Answers: plugin.Values{"form.decedent.death_date": plugin.MustDate("2026-02-10")}, Want: Want{Failure: "urban_income_month"}},
		decideCase("another kind", plugin.Values{"form.decedent.death_date": plugin.Text("2026-02-10")}, Want{Failure: "another kind"}),
		{Name: "certificate", Hook: plugin.HookCheck, Today: "2026-03-02", Materials: []plugin.Material{{ID: "death_certificate", Origin: "APPLICANT"}}},
		{Name: "no certificate", Hook: plugin.HookCheck, Today: "2026-03-02", Want: Want{Findings: []string{"no_certificate"}}},
		{Name: "proposes", Hook: plugin.HookPrefill, Today: "2026-03-02",
			Answers: plugin.Values{"form.heir.id_no": plugin.CitizenNumber("320101199003071234")},
			Shared:  map[string]Source{"register": {"320101199003071234": {"name": plugin.Text("张三")}}},
			Want:    Want{Proposals: plugin.Values{"form.heir.name": plugin.Text("张三")}}},
		{Name: "source is silent", Hook: plugin.HookPrefill, Today: "2026-03-02",
			Answers: plugin.Values{"form.heir.id_no": plugin.CitizenNumber("320101199003071234")}, Shared: map[string]Source{"register": nil}},
		{Name: "source is not granted", Hook: plugin.HookPrefill, Today: "2026-03-02",
			Answers: plugin.Values{"form.heir.id_no": plugin.CitizenNumber("320101199003071234")}, Want: Want{Failure: "not_granted"}},
		{Name: "document", Hook: plugin.HookIssue, Today: "2026-03-02", Result: plugin.Values{"funeral_grant": plugin.Money(563700)},
			Want: Want{MediaType: "text/plain; charset=utf-8", Content: []string{"5637.00"}}},
		{Name: "revoked", Hook: plugin.HookRevoke, Today: "2026-03-02", Want: Want{Revoked: true}},
	})
}

// TestCheck_Faults proves that a wrong expectation, and a plugin that breaks a rule for all, are told.
func TestCheck_Faults(t *testing.T) {
	t.Parallel()
	on := plugin.Values{"form.decedent.death_date": plugin.MustDate("2026-02-10")}
	calls := 0
	tests := []struct {
		name   string
		plugin plugin.Plugin
		c      Case
		want   string
	}{
		{"outcome", grant, decideCase("", nil, Want{Outcome: plugin.Approved}), "outcome: got OUTCOME_UNDETERMINED"},
		{"amount", grant, decideCase("", on, Want{Outcome: plugin.Approved, Result: plugin.Values{"funeral_grant": plugin.Money(1)}}),
			"result funeral_grant: got plugin.Money(5637.00), want plugin.Money(0.01)"},
		{"kind", grant, decideCase("", on, Want{Outcome: plugin.Approved, Result: plugin.Values{"funeral_grant": plugin.Int(563700)}}), "result funeral_grant: got"},
		{"result that is not wanted", grant, decideCase("", on, Want{Outcome: plugin.Approved}), "funeral_grant is not wanted"},
		{"result that is missing", grant, decideCase("", nil, Want{Outcome: plugin.NotDecidable, Findings: []string{"no_date"}, Result: plugin.Values{"total": plugin.Int(1)}}), "total is missing"},
		{"finding that is not wanted", grant, decideCase("", nil, Want{Outcome: plugin.NotDecidable}), "finding no_date@"},
		{"finding that is missing", grant, decideCase("", on, Want{Findings: []string{"future"}}), "finding future is missing"},
		{"path of a finding", grant, decideCase("", nil, Want{Findings: []string{"no_date@form.heir.name"}}), "no_date@form.heir.name is missing"},
		{"failure", grant, decideCase("", nil, Want{Failure: "x"}), "failure: got"},
		{"hook without a handler", plugin.Plugin{}, decideCase("", nil, Want{}), "no handler for HOOK_DECIDE"},
		{"no date of receipt", grant, Case{Hook: plugin.HookDecide}, "today"},
		{"no text", plugin.Plugin{Check: func(*plugin.Call) ([]plugin.Finding, error) { return []plugin.Finding{{Code: "Bad Code"}}, nil }},
			Case{Hook: plugin.HookCheck, Today: "2026-03-02"}, "has no Chinese text"},
		{"code", plugin.Plugin{Check: func(*plugin.Call) ([]plugin.Finding, error) { return []plugin.Finding{{Code: "Bad Code"}}, nil }},
			Case{Hook: plugin.HookCheck, Today: "2026-03-02"}, "lower snake case"},
		{"remembers", plugin.Plugin{Check: func(*plugin.Call) ([]plugin.Finding, error) {
			calls++
			return make([]plugin.Finding, calls), nil
		}}, Case{Hook: plugin.HookCheck, Today: "2026-03-02"}, "two different answers"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(check(test.plugin, test.c), "\n"); !strings.Contains(got, test.want) {
				t.Errorf("faults %q, want one with %q", got, test.want)
			}
		})
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	trace := Reads(t, grant, decideCase("", nil, Want{}))
	if len(trace.Answers) != 1 || trace.Answers[0] != "form.decedent.death_date" || len(trace.Parameters) != 0 {
		t.Errorf("Reads() = %+v", trace)
	}
	trace = Reads(t, grant, Case{Hook: plugin.HookPrefill, Today: "2026-03-02", Shared: map[string]Source{"register": {}},
		Answers: plugin.Values{"form.heir.id_no": plugin.CitizenNumber("320101199003071234")}})
	if len(trace.Lookups) != 1 || trace.Lookups[0].Source != "register" {
		t.Errorf("Reads() = %+v", trace)
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	step := Step{"after_death", "survivors"}
	cases := []Case{decideCase("one", nil, Want{})}
	tests := []struct {
		name     string
		needs    []string
		officers map[string]string
		want     int
	}{
		{"true", []string{"form.decedent.death_date"}, nil, 0},
		{"a section holds its fields", []string{"form.decedent"}, nil, 0},
		{"a name that only begins alike does not", []string{"form.dec"}, nil, 2},
		{"removed", nil, nil, 1},
		{"not read", []string{"form.decedent.death_date", "form.heir.name"}, nil, 1},
		{"an officer's", []string{"form.decedent.death_date", "form.heir.name"}, map[string]string{"form.heir.name": "compares the signature"}, 0},
		{"an officer's that is no need", []string{"form.decedent.death_date"}, map[string]string{"form.heir.name": "compares the signature"}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := checkNeeds(t, grant, Needs{step: test.needs}, map[Step]map[string]string{step: test.officers}, cases)
			if len(got) != test.want {
				t.Errorf("faults %q, want %d", got, test.want)
			}
		})
	}
}

// ledger counts in its department's store, tells an outside system, and writes a line.
var ledger = plugin.Plugin{
	Prefill: func(call *plugin.Call) (plugin.Values, error) { return nil, call.Store().Put("count", nil) },
	Decide: func(call *plugin.Call) (plugin.Decision, error) {
		value, _, err := call.Store().Get("count")
		if err != nil {
			return plugin.Decision{}, err
		}
		keys, err := call.Store().List("row/", "", 1)
		if err != nil {
			return plugin.Decision{}, err
		}
		for _, key := range keys {
			if err := call.Store().Delete(key); err != nil {
				return plugin.Decision{}, err
			}
		}
		n, _ := strconv.Atoi(string(value))
		if err := call.Store().Put("count", []byte(strconv.Itoa(n+1))); err != nil {
			return plugin.Decision{}, err
		}
		answer, err := call.HTTP(plugin.HTTPRequest{Method: "POST", URL: "https://ledger.example.cn/rows", Headers: map[string]string{"Content-Type": "text/plain"}, Body: []byte("row")})
		if err != nil {
			return plugin.Decision{}, err
		}
		call.Log("told", map[string]int64{"status": int64(answer.Status), "rows": int64(n)})
		if !answer.Answered {
			return plugin.Undetermined(plugin.Finding{Code: "silent", TextZH: "系统未答复"}), nil
		}
		return plugin.Approve(plugin.Values{"number": plugin.Text(string(answer.Body))}), nil
	},
}

func ledgerCase(change func(*Case)) Case {
	c := Case{
		Name: "one", Hook: plugin.HookDecide, Bundle: "matter", Step: "pay", Today: "2026-03-02", Store: map[string]string{"count": "41", "row/1": "x", "row/2": "y"},
		HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(body)+" "+strconv.Itoa(len(r.Header.Get("Idempotency-Key"))))
		}),
		Want: Want{Outcome: plugin.Approved, Result: plugin.Values{"number": plugin.Text("POST /rows text/plain row 64")}, Store: map[string]string{"count": "42", "row/2": "y"},
			Log: []string{"told rows=41 status=201"}},
	}
	change(&c)
	return c
}

func TestRun_Capabilities(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*Case)
		want   string // in the faults; empty: there is none
	}{
		{"as it should be", func(*Case) {}, ""},
		{"a system that breaks off", func(c *Case) {
			c.HTTP = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			c.Want.Outcome, c.Want.Result, c.Want.Findings, c.Want.Log = plugin.NotDecidable, nil, []string{"silent"}, []string{"told rows=41 status=0"}
		}, ""},
		{"another store", func(c *Case) { c.Want.Store = map[string]string{"count": "42", "row/2": "z", "more": ""} }, "store: row/2: got \"y\", want \"z\"\nstore: more is missing"},
		{"a store that should stay", func(c *Case) { c.Want.Store = nil }, "store: count: got \"42\", want \"41\"\nstore: row/1 is missing"},
		{"another line", func(c *Case) { c.Want.Log = nil }, "log: got [\"told rows=41 status=201\"], want []"},
		{"no store", func(c *Case) { c.Store = nil }, "get of the store: not_granted"},
		{"no host", func(c *Case) { c.HTTP = nil }, "request to an outside system: not_granted"},
		{"prefill writes", func(c *Case) {
			c.Hook, c.Want = plugin.HookPrefill, Want{Failure: "put into the store: read_only"}
		}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(check(ledger, ledgerCase(test.change)), "\n")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("faults %q, want %q", got, test.want)
			}
		})
	}
	loud := plugin.Plugin{Check: func(call *plugin.Call) ([]plugin.Finding, error) {
		call.Log("Told", map[string]int64{"phone": 13800000000})
		return nil, nil
	}}
	if got := check(loud, Case{Name: "one", Hook: plugin.HookCheck, Today: "2026-03-02"}); len(got) != 1 || !strings.Contains(got[0], "would not be taken") {
		t.Errorf("faults %q", got)
	}
}
