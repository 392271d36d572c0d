package rule

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/shopspring/decimal"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
)

// hasFunction is what `has(x)` becomes, calendarName the argument that functions of working days are given.
// Neither can be spelt.
const (
	hasFunction  = "@has"
	calendarName = "@calendar"
)

// signature is one way to call a function. The first argument of a member stands before the point.
type signature struct {
	name   string
	member bool
	args   []*types.Type
	result *types.Type
	call   func(args []ref.Val) ref.Val
}

var (
	anyType = types.NewTypeParamType("T")
	anyList = types.NewListType(anyType)
)

// Faults of an evaluation. An error value of CEL is written to while it travels, so each is wrapped anew.
var (
	errRange   = errors.New("rule: a result is out of range")
	errNoItems = errors.New("rule: the list is empty")
)

// ordered are the types that have an order, amounts those that can be added.
func ordered() []*types.Type {
	return []*types.Type{types.IntType, decimalType, moneyType, dateType}
}

func amounts() []*types.Type { return []*types.Type{types.IntType, decimalType, moneyType} }

// signatures returns the operators on kinds that CEL does not know, and the functions of the language.
func signatures(t *tree) []signature {
	var all []signature
	add := func(name string, result *types.Type, call func([]ref.Val) ref.Val, args ...*types.Type) {
		all = append(all, signature{name: name, args: args, result: result, call: call})
	}
	boolean, integer, text := types.BoolType, types.IntType, types.StringType

	equal := []*types.Type{boolean, integer, text, decimalType, moneyType, dateType, citizenType, addressType, regionType}
	for _, choice := range t.choices {
		equal = append(equal, choice.typ)
		if isChoices(choice.typ) {
			add("size", integer, size, choice.typ)
		}
	}
	for _, name := range []string{operators.Equals, operators.NotEquals} { // CEL evaluates these itself
		for _, typ := range equal {
			add(name, boolean, nil, typ, typ)
		}
		add(name, boolean, nil, decimalType, integer)
	}
	for name, holds := range map[string]func(int) bool{
		operators.Less:          func(c int) bool { return c < 0 },
		operators.LessEquals:    func(c int) bool { return c <= 0 },
		operators.Greater:       func(c int) bool { return c > 0 },
		operators.GreaterEquals: func(c int) bool { return c >= 0 },
	} {
		call := func(a []ref.Val) ref.Val { return types.Bool(holds(compare(a[0], a[1]))) }
		for _, typ := range ordered() {
			add(name, boolean, call, typ, typ)
		}
		add(name, boolean, call, decimalType, integer)
	}
	for _, name := range []string{operators.Add, operators.Subtract, operators.Multiply} {
		call := func(a []ref.Val) ref.Val { return compute(name, a[0], a[1]) }
		add(name, integer, call, integer, integer)
		add(name, decimalType, call, decimalType, decimalType)
		add(name, decimalType, call, decimalType, integer)
		if name == operators.Multiply {
			add(name, moneyType, call, moneyType, integer)
		} else {
			add(name, moneyType, call, moneyType, moneyType)
		}
	}
	// Lists are put together by map and filter only; the check refuses it where it is written.
	add(operators.Add, anyList, func(a []ref.Val) ref.Val { return a[0].(traits.Adder).Add(a[1]) }, anyList, anyList)
	for _, typ := range amounts() {
		add(operators.Negate, typ, negate, typ)
	}

	add("date", dateType, literalDate, text)
	add("yuan", moneyType, literalYuan, text)
	add("decimal", decimalType, literalDecimal, text)
	add("region", regionType, func(a []ref.Val) ref.Val { return value{regionType, kind.Text(a[0].(types.String))} }, text)

	shift := func(by func(kind.Date, int) (kind.Date, bool)) func([]ref.Val) ref.Val {
		return func(a []ref.Val) ref.Val {
			d, ok := by(date(a[0]), number(a[1]))
			if !ok {
				return types.WrapErr(errRange)
			}
			return value{dateType, d}
		}
	}
	add("add_days", dateType, shift(kind.Date.AddDays), dateType, integer)
	add("add_months", dateType, shift(kind.Date.AddMonths), dateType, integer)
	add("add_years", dateType, shift(kind.Date.AddYears), dateType, integer)
	between := func(count func(a, b kind.Date) int) func([]ref.Val) ref.Val {
		return func(a []ref.Val) ref.Val { return types.Int(count(date(a[0]), date(a[1]))) }
	}
	add("days_between", integer, between(kind.DaysBetween), dateType, dateType)
	add("months_between", integer, between(kind.MonthsBetween), dateType, dateType)
	add("years_between", integer, between(kind.YearsBetween), dateType, dateType)
	add("age", integer, between(kind.Age), dateType, dateType)
	add("age_late", integer, between(kind.AgeLate), dateType, dateType)
	add("add_working_days", dateType, addWorkingDays, calendarType, dateType, integer)
	add("working_days_between", integer, workingDaysBetween, calendarType, dateType, dateType)

	for _, typ := range amounts() {
		add("sum", typ, sum(typ), types.NewListType(typ))
		add("smallest", typ, extreme(-1), types.NewListType(typ))
		add("largest", typ, extreme(+1), types.NewListType(typ))
	}
	add("earliest", dateType, extreme(-1), types.NewListType(dateType))
	add("latest", dateType, extreme(+1), types.NewListType(dateType))
	add("distinct", anyList, distinct, anyList)
	add("size", integer, size, text)
	add("size", integer, size, anyList)

	for _, typ := range []*types.Type{addressType, regionType} {
		all = append(all, signature{name: "within", member: true, args: []*types.Type{typ, regionType}, result: boolean, call: within})
	}
	add("birth_date", dateType, birthDate, citizenType)
	add("female", boolean, func(a []ref.Val) ref.Val { return types.Bool(a[0].(value).v.(kind.CitizenNumber).Female()) }, citizenType)
	return all
}

func isChoices(t *types.Type) bool {
	return t.Kind() == types.StructKind && hasPrefix(t, choicesPrefix)
}
func isChoice(t *types.Type) bool { return t.Kind() == types.StructKind && hasPrefix(t, choicePrefix) }

func hasPrefix(t *types.Type, prefix string) bool {
	return len(t.TypeName()) >= len(prefix) && t.TypeName()[:len(prefix)] == prefix
}

// declare makes options of an environment of the signatures. The implementations get their arguments known:
// CEL answers unknown itself, with the causes of all arguments, if one of them is.
func declare(all []signature) []cel.EnvOption {
	byName := map[string][]cel.FunctionOpt{}
	for _, s := range all {
		id := fmt.Sprint(s.name, " ", s.args)
		var opts []cel.OverloadOpt
		if s.call != nil {
			switch len(s.args) {
			case 1:
				opts = append(opts, cel.UnaryBinding(func(a ref.Val) ref.Val { return s.call([]ref.Val{a}) }))
			case 2:
				opts = append(opts, cel.BinaryBinding(func(a, b ref.Val) ref.Val { return s.call([]ref.Val{a, b}) }))
			default:
				opts = append(opts, cel.FunctionBinding(func(args ...ref.Val) ref.Val { return s.call(args) }))
			}
		}
		overload := cel.Overload
		if s.member {
			overload = cel.MemberOverload
		}
		byName[s.name] = append(byName[s.name], overload(id, s.args, s.result, opts...))
	}
	options := []cel.EnvOption{cel.Function(hasFunction, cel.Overload(hasFunction, []*types.Type{anyType}, types.BoolType,
		cel.OverloadIsNonStrict(), cel.UnaryBinding(has)))}
	for name, overloads := range byName {
		options = append(options, cel.Function(name, overloads...))
	}
	return options
}

// has says whether an answer was given: not if it is blank, and unknown as long as it is.
func has(v ref.Val) ref.Val {
	switch v := v.(type) {
	case *types.Unknown:
		return v
	case *types.Err:
		if isBlank(v) {
			return types.False
		}
		return v
	case value:
		if c, ok := v.v.(kind.Choices); ok {
			return types.Bool(len(c) > 0)
		}
	}
	return types.True
}

func date(v ref.Val) kind.Date { return v.(value).v.(kind.Date) }

// number returns an int64 as an int, out of range of all dates if it does not fit one.
func number(v ref.Val) int {
	n := int64(v.(types.Int))
	return int(min(max(n, math.MinInt32), math.MaxInt32))
}

func whole(n types.Int) decimal.Decimal { return decimal.NewFromInt(int64(n)) }

// exact returns a number as a decimal.
func exact(v ref.Val) decimal.Decimal {
	if n, ok := v.(types.Int); ok {
		return whole(n)
	}
	return v.(value).v.(kind.Decimal).Decimal
}

// compare orders two values of a type that has an order, or a decimal number and a whole one.
func compare(a, b ref.Val) int {
	if n, ok := a.(types.Int); ok {
		m := b.(types.Int)
		switch {
		case n < m:
			return -1
		case n > m:
			return 1
		}
		return 0
	}
	switch v := a.(value).v.(type) {
	case kind.Date:
		return v.Compare(date(b))
	case kind.Money:
		return compare(types.Int(v), types.Int(b.(value).v.(kind.Money)))
	default:
		return exact(a).Cmp(exact(b))
	}
}

// maxDigits bounds the digits of a decimal number, so that no product grows without end.
const maxDigits = 100

// compute adds, subtracts or multiplies; it never wraps.
func compute(operator string, a, b ref.Val) ref.Val {
	if n, ok := a.(types.Int); ok {
		m := b.(types.Int)
		switch operator {
		case operators.Add:
			return n.Add(m)
		case operators.Subtract:
			return n.Subtract(m)
		}
		return n.Multiply(m)
	}
	if m, ok := a.(value).v.(kind.Money); ok {
		var result kind.Money
		switch operator {
		case operators.Add:
			result, ok = m.Add(b.(value).v.(kind.Money))
		case operators.Subtract:
			result, ok = m.Sub(b.(value).v.(kind.Money))
		default:
			result, ok = m.Mul(int64(b.(types.Int)))
		}
		if !ok {
			return types.WrapErr(errRange)
		}
		return value{moneyType, result}
	}
	x, y := exact(a), exact(b)
	switch operator {
	case operators.Add:
		x = x.Add(y)
	case operators.Subtract:
		x = x.Sub(y)
	default:
		x = x.Mul(y)
	}
	if x.NumDigits() > maxDigits {
		return types.WrapErr(errRange)
	}
	return value{decimalType, kind.Decimal{Decimal: x}}
}

func negate(a []ref.Val) ref.Val {
	switch v := a[0].(type) {
	case types.Int:
		return v.Negate()
	case value:
		if d, ok := v.v.(kind.Decimal); ok {
			return value{decimalType, kind.Decimal{Decimal: d.Neg()}}
		}
		m, ok := v.v.(kind.Money).Mul(-1)
		if !ok {
			return types.WrapErr(errRange)
		}
		return value{moneyType, m}
	}
	return types.MaybeNoSuchOverloadErr(a[0])
}

// The literals were checked at load.

func literalDate(a []ref.Val) ref.Val {
	d, ok := kind.ParseDate(string(a[0].(types.String)))
	if !ok {
		return types.WrapErr(errRange)
	}
	return value{dateType, d}
}

func literalYuan(a []ref.Val) ref.Val {
	m, ok := kind.ParseMoney(string(a[0].(types.String)))
	if !ok {
		return types.WrapErr(errRange)
	}
	return value{moneyType, m}
}

func literalDecimal(a []ref.Val) ref.Val {
	d, err := decimal.NewFromString(string(a[0].(types.String)))
	if err != nil {
		return types.WrapErr(errRange)
	}
	return value{decimalType, kind.Decimal{Decimal: d}}
}

// calendar gives the functions of working days the evaluation that they are part of.
type calendar struct {
	value
	run *run
}

func addWorkingDays(a []ref.Val) ref.Val {
	r := a[0].(calendar).run
	d, year, ok := r.env.AddWorkingDays(date(a[1]), number(a[2]))
	if !ok {
		return r.unknown(unpublished(year))
	}
	return value{dateType, d}
}

func workingDaysBetween(a []ref.Val) ref.Val {
	r := a[0].(calendar).run
	n, year, ok := r.env.WorkingDaysBetween(date(a[1]), date(a[2]))
	if !ok {
		return r.unknown(unpublished(year))
	}
	return types.Int(n)
}

func items(list ref.Val) []ref.Val {
	l := list.(traits.Lister)
	n := int(l.Size().(types.Int))
	all := make([]ref.Val, n)
	for i := range n {
		all[i] = l.Get(types.Int(i))
	}
	return all
}

// sum adds the elements of a list of numbers or amounts of the type; none give its 0.
func sum(typ *types.Type) func([]ref.Val) ref.Val {
	return func(a []ref.Val) ref.Val {
		var total ref.Val = types.IntZero
		switch typ {
		case moneyType:
			total = value{moneyType, kind.Money(0)}
		case decimalType:
			total = value{decimalType, kind.Decimal{}}
		}
		for _, v := range items(a[0]) {
			if total = compute(operators.Add, total, v); types.IsError(total) {
				return total
			}
		}
		return total
	}
}

// extreme returns the first element than which none is less (-1) or greater (+1).
func extreme(sign int) func([]ref.Val) ref.Val {
	return func(a []ref.Val) ref.Val {
		all := items(a[0])
		if len(all) == 0 {
			return types.WrapErr(errNoItems)
		}
		best := all[0]
		for _, v := range all[1:] {
			if compare(v, best)*sign > 0 {
				best = v
			}
		}
		return best
	}
}

// distinct keeps the first of equal elements.
func distinct(a []ref.Val) ref.Val {
	var kept []ref.Val
next:
	for _, v := range items(a[0]) {
		for _, k := range kept {
			if types.Equal(v, k) == types.True {
				continue next
			}
		}
		kept = append(kept, v)
	}
	return types.NewRefValList(types.DefaultTypeAdapter, kept)
}

// size counts characters, elements or chosen options.
func size(a []ref.Val) ref.Val {
	switch v := a[0].(type) {
	case traits.Sizer:
		return v.Size()
	case value:
		if c, ok := v.v.(kind.Choices); ok {
			return types.Int(len(c))
		}
	}
	return types.MaybeNoSuchOverloadErr(a[0])
}

func within(a []ref.Val) ref.Val {
	region, _ := a[1].(value).v.(kind.Text)
	switch v := a[0].(value).v.(type) {
	case kind.Address:
		return types.Bool(v.Within(string(region)))
	case kind.Text:
		return types.Bool(kind.Address{Region: string(v)}.Within(string(region)))
	default:
		return types.MaybeNoSuchOverloadErr(a[0])
	}
}

func birthDate(a []ref.Val) ref.Val {
	d := a[0].(value).v.(kind.CitizenNumber).BirthDate()
	if d.IsZero() {
		return types.WrapErr(errRange)
	}
	return value{dateType, d}
}

func unpublished(year int) forms.Cause {
	return forms.Cause{Kind: forms.CauseCalendar, Path: forms.Path("calendar." + strconv.Itoa(year))}
}
