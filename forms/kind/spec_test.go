package kind

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// specs has a field of every kind.
func specs(t testing.TB) map[Kind]Spec {
	t.Helper()
	pattern, err := CompilePattern(`[A-Z]\d{9}|none`)
	if err != nil {
		t.Fatal(err)
	}
	options := []string{"passport", "id_card", "licence"}
	all := map[Kind]Spec{
		KindDecimal: {Kind: KindDecimal, Scale: 2},
		KindChoice:  {Kind: KindChoice, Options: options},
		KindChoices: {Kind: KindChoices, Options: options},
		KindList: {Kind: KindList, Row: map[string]Spec{
			"name": {Kind: KindText}, "code": {Kind: KindText, Pattern: pattern}, "capital": {Kind: KindMoney},
			"papers": {Kind: KindChoices, Options: options},
		}},
	}
	for k := KindText; k <= KindList; k++ {
		if _, found := all[k]; !found {
			all[k] = Spec{Kind: k}
		}
	}
	return all
}

func dec(s string) Decimal { return Decimal{decimal.RequireFromString(s)} }

func TestParse(t *testing.T) {
	t.Parallel()
	all := specs(t)
	digest := strings.Repeat("0123abcd", 8)
	tests := []struct {
		name string
		kind Kind
		in   any
		want Value
	}{
		{"text is trimmed", KindText, " 张三\t\n", Text("张三")},
		{"text beyond the basic plane", KindText, "𠮷𰻝", Text("𠮷𰻝")},
		{"text with a variation selector", KindText, "葛\U000E0100城", Text("葛\U000E0100城")},
		{"text with a compatibility ideograph keeps it", KindText, "\uf9dc", Text("\uf9dc")},
		{"text with the middle dot of names", KindText, "买买提·阿卜杜拉", Text("买买提·阿卜杜拉")},
		{"text of two lines", KindText, "一\r\n二", Text("一\n二")},
		{"text with unseen characters", KindText, "\ufeff张\u200b三", Text("张三")},
		{"text of 4000 characters of four bytes", KindText, strings.Repeat("𠮷", 4000), Text(strings.Repeat("𠮷", 4000))},

		{"bool", KindBool, true, Bool(true)},
		{"int", KindInt, 3.0, Int(3)},
		{"int from YAML", KindInt, -7, Int(-7)},
		{"int, largest", KindInt, int64(maxInt), Int(9007199254740991)},

		{"decimal string", KindDecimal, "12.50", dec("12.5")},
		{"decimal number", KindDecimal, 0.1, dec("0.1")},
		{"decimal number of 15 digits", KindDecimal, 1234567890123.45, dec("1234567890123.45")},
		{"decimal, zeros", KindDecimal, "-00.000", dec("0")},
		{"decimal, int", KindDecimal, 12, dec("12")},

		{"money string", KindMoney, "850.00", Money(85000)},
		{"money number", KindMoney, 1200.5, Money(120050)},
		{"money, no binary rounding", KindMoney, 1.1, Money(110)},
		{"money, 15 digits", KindMoney, 9999999999999.99, Money(999999999999999)},
		{"money, largest", KindMoney, "999999999999999.99", Money(99999999999999999)},
		{"money, negative", KindMoney, "-0.05", Money(-5)},
		{"money, zero", KindMoney, "-0.00", Money(0)},
		{"money, int64", KindMoney, int64(60), Money(6000)},

		{"date", KindDate, "2024-02-29", Date{2024, 2, 29}},

		{"choice", KindChoice, "id_card", Choice("id_card")},
		{"choices in the order of the options, once", KindChoices, []any{"licence", "passport", "licence"}, Choices{"passport", "licence"}},
		{"choices, none", KindChoices, []any{}, Choices{}},

		{"citizen number, small x", KindCitizenNumber, "11010519491231002x", CitizenNumber("11010519491231002X")},
		{"citizen number, check 4", KindCitizenNumber, "440524188001010014", CitizenNumber("440524188001010014")},
		{"citizen number of 15 digits", KindCitizenNumber, "110105491231002", CitizenNumber("11010519491231002X")},
		{"citizen number, full width and spaces", KindCitizenNumber, " 110105 19491231 ００２Ｘ", CitizenNumber("11010519491231002X")},
		{"citizen number, leap day", KindCitizenNumber, "321323200002291239", CitizenNumber("321323200002291239")},
		{"residence permit of Hong Kong", KindCitizenNumber, "810000199001010019", CitizenNumber("810000199001010019")},
		{"permanent residence card of a foreigner", KindCitizenNumber, "911101199001010023", CitizenNumber("911101199001010023")},

		{"uscc", KindUSCC, "91350100M000100Y43", USCC("91350100M000100Y43")},
		{"uscc, small letters", KindUSCC, "11310000mb2f30661y", USCC("11310000MB2F30661Y")},
		{"uscc of Zhejiang", KindUSCC, "11330105002500287C", USCC("11330105002500287C")},
		{"uscc of the State Council", KindUSCC, "11100000000013338W", USCC("11100000000013338W")},

		{"mobile", KindPhone, "13800138000", Phone("13800138000")},
		{"mobile, grouped", KindPhone, "138-0013 8000", Phone("13800138000")},
		{"mobile, full width", KindPhone, "１３８００１３８０００", Phone("13800138000")},
		{"mobile from abroad", KindPhone, "+86 138 0013 8000", Phone("13800138000")},
		{"mobile from abroad, 00", KindPhone, "0086-13800138000", Phone("13800138000")},
		{"mobile from abroad, bare", KindPhone, "8613800138000", Phone("13800138000")},
		{"landline", KindPhone, "0527-84221234", Phone("0527-84221234")},
		{"landline of seven digits", KindPhone, "(0919)2185555", Phone("0919-2185555")},
		{"landline of Beijing", KindPhone, "（010）8888 6666", Phone("010-88886666")},
		{"landline of Nanjing from abroad", KindPhone, "+86 25 8663 1234", Phone("025-86631234")},
		{"landline from abroad, bare", KindPhone, "86 527 8422 1234", Phone("0527-84221234")},
		{"landline from abroad with its 0", KindPhone, "+86 (0)527 8422 1234", Phone("0527-84221234")},
		{"landline that begins with 86", KindPhone, "0527 8612 3456", Phone("0527-86123456")},

		{"address", KindAddress, map[string]any{"region": "321323", "text": " 众兴镇 1 号"}, Address{"321323", "众兴镇 1 号"}},
		{"address of a village", KindAddress, map[string]any{"region": "321323100201", "text": "三组"}, Address{"321323100201", "三组"}},

		{"bank account", KindBankAccount, "6222 0211 1234 5678 901", BankAccount("6222021112345678901")},
		{"plate", KindPlate, "苏n·a12b4", Plate("苏NA12B4")},
		{"plate, new energy, small", KindPlate, "苏ND12345", Plate("苏ND12345")},
		{"plate, new energy, large", KindPlate, "沪A12345F", Plate("沪A12345F")},
		{"plate of a driving school", KindPlate, "京A1234学", Plate("京A1234学")},
		{"plate of a trailer", KindPlate, "苏N1234挂", Plate("苏N1234挂")},
		{"plate of an embassy", KindPlate, "使014578", Plate("使014578")},
		{"file", KindFile, digest, File(digest)},

		{"list", KindList, []any{
			map[string]any{"name": "甲", "capital": "1.00", "papers": []any{"licence"}}, map[string]any{"name": nil},
		}, List{{"name": Text("甲"), "capital": Money(100), "papers": Choices{"licence"}}, {"name": nil}}},
		{"list, empty", KindList, []any{}, List{}},
		{"pattern of a whole text", KindList, []any{map[string]any{"code": "X320101001"}, map[string]any{"code": "none"}},
			List{{"code": Text("X320101001")}, {"code": Text("none")}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			spec := all[test.kind]
			got, fault := spec.Parse(test.in)
			if fault != nil {
				t.Fatalf("fault %+v", *fault)
			}
			if !got.Equal(test.want) || got.Kind() != test.kind {
				t.Fatalf("got %v %#v, want %#v", got.Kind(), got, test.want)
			}
			again, fault := spec.Parse(throughJSON(t, Encode(got)))
			if fault != nil || !again.Equal(got) {
				t.Errorf("its canonical form gives %#v, %v", again, fault)
			}
		})
	}
}

func throughJSON(t testing.TB, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back any
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	all := specs(t)
	address := func(region, text any) any { return map[string]any{"region": region, "text": text} }
	tests := []struct {
		name string
		kind Kind
		in   any
		want FaultCode
		path string
	}{
		{"text, a number", KindText, 3.0, WrongKind, ""},
		{"text of spaces", KindText, " \u3000\n", Empty, ""},
		{"text, not UTF-8", KindText, "\xff", InvalidText, ""},
		{"text, a lost surrogate", KindText, throughJSON(t, json.RawMessage(`"\ud83d"`)), InvalidText, ""},
		{"text, a surrogate in UTF-8", KindText, "\xed\xa0\xbd", InvalidText, ""},
		{"text, a noncharacter", KindText, "a\ufffeb", InvalidText, ""},
		{"text, NUL", KindText, "a\x00b", ControlCharacter, ""},
		{"text, a lone carriage return", KindText, "a\rb", ControlCharacter, ""},
		{"text, an escape sequence", KindText, "\x1b[31m", ControlCharacter, ""},
		{"text, reordered", KindText, "a\u202eb", ControlCharacter, ""},
		{"text, a line separator", KindText, "a\u2028b", ControlCharacter, ""},
		{"text of 4001 characters", KindText, strings.Repeat("字", 4001), TooLong, ""},
		{"text of a megabyte", KindText, strings.Repeat(" ", 1<<20), TooLong, ""},
		{"bool, a text", KindBool, "true", WrongKind, ""},
		{"bool, a number", KindBool, 1.0, WrongKind, ""},
		{"int, a text of digits", KindInt, "3", WrongKind, ""},
		{"int, a fraction", KindInt, 2.5, Malformed, ""},
		{"int, not a number", KindInt, math.NaN(), Malformed, ""},
		{"int, infinite", KindInt, math.Inf(1), Malformed, ""},
		{"int, 2^53", KindInt, float64(1 << 53), TooLarge, ""},
		{"int, 2^63", KindInt, math.Ldexp(1, 63), TooLarge, ""},
		{"int, least int64", KindInt, int64(math.MinInt64), TooLarge, ""},
		{"decimal, a bool", KindDecimal, true, WrongKind, ""},
		{"decimal, three digits", KindDecimal, "1.005", TooManyDigits, ""},
		{"decimal, a number of 16 digits", KindDecimal, 0.1234567890123456, TooManyDigits, ""},
		{"decimal with an exponent", KindDecimal, "1e3", Malformed, ""},
		{"decimal, huge", KindDecimal, 1e300, TooLarge, ""},
		{"decimal, tiny", KindDecimal, 1e-300, TooManyDigits, ""},
		{"decimal, not a number", KindDecimal, math.NaN(), Malformed, ""},
		{"decimal, only a point", KindDecimal, ".", Malformed, ""},
		{"decimal, no digit before the point", KindDecimal, ".5", Malformed, ""},
		{"decimal, no digit after the point", KindDecimal, "5.", Malformed, ""},
		{"decimal, a plus", KindDecimal, "+5", Malformed, ""},
		{"money, fractions of a fen", KindMoney, "0.001", TooManyDigits, ""},
		{"money, a number with fractions of a fen", KindMoney, 850.125, TooManyDigits, ""},
		{"money, a number of 16 digits", KindMoney, 12345678901234.56, TooManyDigits, ""},
		{"money with separators", KindMoney, "1,200.00", Malformed, ""},
		{"money, 16 digits", KindMoney, "1000000000000000", TooLarge, ""},
		{"money, empty", KindMoney, "", Malformed, ""},
		{"date, no leap year", KindDate, "2023-02-29", NoSuchDate, ""},
		{"date, no leap century", KindDate, "1900-02-29", NoSuchDate, ""},
		{"date, day 0", KindDate, "2026-03-00", NoSuchDate, ""},
		{"date, month 13", KindDate, "2026-13-01", NoSuchDate, ""},
		{"date, year 0", KindDate, "0000-01-01", NoSuchDate, ""},
		{"date, short", KindDate, "2026-3-15", Malformed, ""},
		{"date with a time", KindDate, "2026-03-15T00:00", Malformed, ""},
		{"date with a sign", KindDate, "-026-03-15", Malformed, ""},
		{"date, a number", KindDate, 20260315.0, WrongKind, ""},
		{"choice, unknown", KindChoice, "visa", NoSuchOption, ""},
		{"choice, a list", KindChoice, []any{"id_card"}, WrongKind, ""},
		{"choices, a text", KindChoices, "id_card", WrongKind, ""},
		{"choices, unknown", KindChoices, []any{"id_card", "visa"}, NoSuchOption, "[1]"},
		{"choices, a number", KindChoices, []any{1.0}, WrongKind, "[0]"},
		{"choices, too many", KindChoices, make([]any, 501), TooLong, ""},
		{"citizen number, mistyped", KindCitizenNumber, "110105194912310021", CheckDigit, ""},
		{"citizen number, two digits exchanged", KindCitizenNumber, "11010519491213002X", CheckDigit, ""},
		{"citizen number, no leap year", KindCitizenNumber, "321323199902291239", NoSuchDate, ""},
		{"citizen number, no leap century", KindCitizenNumber, "321323190002291237", NoSuchDate, ""},
		{"citizen number of 15 digits, no such day", KindCitizenNumber, "110105490231002", NoSuchDate, ""},
		{"citizen number, 17 characters", KindCitizenNumber, "11010519491231002", Malformed, ""},
		{"citizen number, X inside", KindCitizenNumber, "1101051949123100X2", Malformed, ""},
		{"citizen number, another letter at the end", KindCitizenNumber, "11010519491231002A", Malformed, ""},
		{"citizen number, not ASCII", KindCitizenNumber, "一二三四五六", Malformed, ""},
		{"citizen number of a megabyte", KindCitizenNumber, strings.Repeat("1", 1<<20), Malformed, ""},
		{"citizen number, a number", KindCitizenNumber, 1.1e17, WrongKind, ""},
		{"uscc, mistyped", KindUSCC, "91350100M000100Y44", CheckDigit, ""},
		{"uscc, often copied and wrong", KindUSCC, "91350100M000100Y4Z", Malformed, ""},
		{"uscc with an O", KindUSCC, "9135010OM000100Y43", Malformed, ""},
		{"uscc with an I in the body", KindUSCC, "91350100I000100Y43", Malformed, ""},
		{"uscc with a letter in the region", KindUSCC, "9135A100M000100Y4Y", Malformed, ""},
		{"uscc, not ASCII", KindUSCC, "91350100M000100字", Malformed, ""},
		{"phone, ten digits", KindPhone, "1380013800", Malformed, ""},
		{"phone, no area code", KindPhone, "84221234", Malformed, ""},
		{"phone, 12 digits", KindPhone, "138001380001", Malformed, ""},
		{"phone, 12x", KindPhone, "12800138000", Malformed, ""},
		{"phone of Macau", KindPhone, "+853 2833 1234", Malformed, ""},
		{"phone of New York", KindPhone, "+1 380 013 8000 0", Malformed, ""},
		{"phone, a plus before the area code", KindPhone, "+0527 8422 1234", Malformed, ""},
		{"phone, no area code, begins with 86", KindPhone, "8612 3456", Malformed, ""},
		{"phone, letters", KindPhone, "phone", Malformed, ""},
		{"address, a text", KindAddress, "321323", WrongKind, ""},
		{"address, no text", KindAddress, map[string]any{"region": "321323"}, MissingKey, "text"},
		{"address, blank region", KindAddress, address(nil, "a"), MissingKey, "region"},
		{"address, region of four digits", KindAddress, address("3213", "a"), Malformed, "region"},
		{"address, region of a number", KindAddress, address(321323.0, "a"), WrongKind, "region"},
		{"address, spaces", KindAddress, address("321323", " "), Empty, "text"},
		{"address, long", KindAddress, address("321323", strings.Repeat("字", 201)), TooLong, "text"},
		{"address, another key", KindAddress, map[string]any{"region": "321323", "text": "a", "zip": "1"}, UnknownKey, ""},
		{"bank account, seven digits", KindBankAccount, "1234567", Malformed, ""},
		{"bank account, 31 digits", KindBankAccount, strings.Repeat("1", 31), Malformed, ""},
		{"bank account, a letter", KindBankAccount, "12345678a", Malformed, ""},
		{"plate with an O", KindPlate, "苏NO1234", Malformed, ""},
		{"plate, no province", KindPlate, "N54321", Malformed, ""},
		{"plate, long", KindPlate, "苏N1234567", Malformed, ""},
		{"file, not a digest", KindFile, "../../etc/passwd", Malformed, ""},
		{"file, half a digest", KindFile, strings.Repeat("a", 32), Malformed, ""},
		{"file, upper case", KindFile, strings.Repeat("A", 64), Malformed, ""},
		{"list, an object", KindList, map[string]any{}, WrongKind, ""},
		{"list, a row that is none", KindList, []any{"a"}, WrongKind, "[0]"},
		{"list, a cell", KindList, []any{map[string]any{}, map[string]any{"capital": "x"}}, Malformed, "[1].capital"},
		{"list, inside a cell", KindList, []any{map[string]any{"papers": []any{"visa"}}}, NoSuchOption, "[0].papers[0]"},
		{"list, an unknown cell", KindList, []any{map[string]any{"nom": "x"}}, UnknownKey, "[0]"},
		{"list, a text that only contains the pattern", KindList, []any{map[string]any{"code": "X3201010012"}}, PatternMismatch, "[0].code"},
		{"list, too long", KindList, make([]any, 501), TooLong, ""},
		{"no kind", 0, "a", WrongKind, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v, fault := all[test.kind].Parse(test.in)
			if fault == nil {
				t.Fatalf("accepted as %#v", v)
			}
			if v != nil || fault.Code != test.want || fault.Path != test.path {
				t.Errorf("got %v with %s at %q, want %s at %q", v, fault.Code, fault.Path, test.want, test.path)
			}
			if fault.Text == "" || strings.Contains(fault.Text, fmt.Sprint(test.in)) && fmt.Sprint(test.in) != "" {
				t.Errorf("text %q is missing or holds the value", fault.Text)
			}
		})
	}
}

// An empty set of options and a nil value must not be accepted by any kind.
func TestNilIsNoValue(t *testing.T) {
	t.Parallel()
	for k, spec := range specs(t) {
		if v, fault := spec.Parse(nil); fault == nil {
			t.Errorf("%s accepts nil as %v", k, v)
		}
	}
}

func TestEqualDistinguishesKinds(t *testing.T) {
	t.Parallel()
	values := []Value{
		Text("1"), Bool(true), Int(1), dec("1"), Money(1), Date{2026, 1, 1}, Choice("1"), Choices{"1"}, CitizenNumber("1"), USCC("1"),
		Phone("1"), Address{"1", "1"}, BankAccount("1"), Plate("1"), File("1"), List{{"1": Text("1")}},
	}
	if len(values) != int(KindList) {
		t.Fatalf("%d values for %d kinds", len(values), KindList)
	}
	for i, a := range values {
		for j, b := range values {
			if a.Equal(b) != (i == j) {
				t.Errorf("%v.Equal(%v) = %v", a.Kind(), b.Kind(), a.Equal(b))
			}
		}
		if a.Equal(nil) {
			t.Errorf("%v equals nil", a.Kind())
		}
	}
	if (List{{"a": Int(1)}}).Equal(List{{"b": Int(1)}}) || (List{{}}).Equal(List{{"a": Int(1)}}) {
		t.Error("lists with other cells are equal")
	}
	if !dec("1.50").Equal(dec("1.5")) {
		t.Error("1.50 does not equal 1.5")
	}
}

func TestCitizenNumber(t *testing.T) {
	t.Parallel()
	tests := []struct {
		number CitizenNumber
		birth  Date
		female bool
		region string
	}{
		{"11010519491231002X", Date{1949, 12, 31}, true, "110105"},
		{"440524188001010014", Date{1880, 1, 1}, false, "440524"},
		{"321323200002291239", Date{2000, 2, 29}, false, "321323"},
		{"", Date{}, false, ""},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.birth, test.number.BirthDate()); diff != "" || test.number.Female() != test.female || test.number.Region() != test.region {
			t.Errorf("%s: %s, female %v, region %q", test.number, test.number.BirthDate(), test.number.Female(), test.number.Region())
		}
	}
}

// The check character of a citizen number and of a credit code finds every single wrong character and every
// exchange of two neighbours.
func TestCheckCharactersFindSlips(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind     Kind
		number   string
		alphabet string
	}{
		{KindCitizenNumber, "11010519491231002X", "0123456789X"},
		{KindUSCC, "91350100M000100Y43", usccAlphabet},
	}
	for _, test := range tests {
		slips := map[string]bool{}
		for i := range test.number {
			for _, c := range test.alphabet {
				slips[test.number[:i]+string(c)+test.number[i+1:]] = true
			}
			if i > 0 {
				slips[test.number[:i-1]+test.number[i:i+1]+test.number[i-1:i]+test.number[i+1:]] = true
			}
		}
		delete(slips, test.number)
		for slip := range slips {
			if v, fault := (Spec{Kind: test.kind}).Parse(slip); fault == nil {
				t.Errorf("%s: slip %s is accepted", test.kind, v)
			}
		}
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	home := Address{Region: "321323100", Text: "众兴镇"}
	for region, want := range map[string]bool{"32": true, "3213": true, "321323": true, "321323100": true, "321323100201": false, "3211": false, "33": false} {
		if got := home.Within(region); got != want {
			t.Errorf("within %s: %v", region, got)
		}
	}
}

func TestCompilePattern(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"(", "a)(b", `\`, "a{2000}"} {
		if _, err := CompilePattern(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`"张三·李"`, `true`, `3`, `"12.50"`, `0.1`, `1e300`, `"850.00"`, `"2024-02-29"`, `"id_card"`, `["licence","passport"]`,
		`"11010519491231002x"`, `"110105491231002"`, `"91350100M000100Y43"`, `"+86 138 0013 8000"`, `"（010）8888 6666"`,
		`{"region":"321323","text":"a"}`, `"6222 0211 1234 5678"`, `"苏n·a12b4"`, `[{"name":"甲","capital":"1.00"},{"name":null}]`, `"\ud800"`, `"\u202e"`,
	} {
		f.Add(seed)
	}
	all := specs(f)
	f.Fuzz(func(t *testing.T, src string) {
		inputs := []any{src}
		var decoded any
		if json.Unmarshal([]byte(src), &decoded) == nil {
			inputs = append(inputs, decoded)
		}
		for k := KindText; k <= KindList; k++ {
			for _, in := range inputs {
				v, fault := all[k].Parse(in)
				if (v == nil) == (fault == nil) {
					t.Fatalf("%s: %v and %v", k, v, fault)
				}
				if fault != nil {
					continue
				}
				again, fault := all[k].Parse(throughJSON(t, Encode(v)))
				if fault != nil {
					t.Fatalf("%s: the canonical form of %#v: %+v", k, v, *fault)
				}
				if !again.Equal(v) {
					t.Fatalf("%s: %#v comes back as %#v", k, v, again)
				}
			}
		}
	})
}
