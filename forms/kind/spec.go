package kind

import "regexp"

// Spec is what parsing has to know of a field.
type Spec struct {
	Kind    Kind
	Options []string        // ids, in their order: of CHOICE and CHOICES
	Scale   int             // digits after the point that a DECIMAL may have
	Pattern *regexp.Regexp  // of TEXT, by CompilePattern, or nil
	Row     map[string]Spec // of LIST: the fields of a row
}

// Parse returns the normalised value of v, which is what decoded JSON, a google.protobuf.Value or YAML
// give: bool, float64, int, int64, string, []any or map[string]any. A blank answer (nil) is the caller's.
//
//	TEXT            string, trimmed; at most 4,000 characters
//	BOOL            bool
//	INT             number, of magnitude below 2^53
//	DECIMAL         string or number of at most 15 digits, with at most Scale digits after the point
//	MONEY           yuan: string such as "850.00" or number, with at most two digits after the point
//	DATE            string, YYYY-MM-DD (GB/T 7408)
//	CHOICE          string, the option's id
//	CHOICES         list of options' ids
//	CITIZEN_NUMBER  string of 18 or 15 characters, any letter case (GB 11643)
//	USCC            string of 18 characters, any letter case (GB 32100)
//	PHONE           string, mobile or landline with area code
//	ADDRESS         object of region (6, 9 or 12 digits, GB/T 2260) and text
//	BANK_ACCOUNT    string of 8 to 30 digits
//	PLATE           string, such as 苏N12345
//	FILE            string, the file's digest
//	LIST            list of objects, at most 500; in an object null is blank, what is absent is not answered
//
// Numbers are taken as they were written: a JSON number of at most 15 digits survives float64 unchanged.
func (s Spec) Parse(v any) (Value, *Fault) {
	switch s.Kind {
	case KindText:
		return ofString(v, func(text string) (Value, *Fault) { return parseText(text, s.Pattern) })
	case KindBool:
		return parseBool(v)
	case KindInt:
		return parseInt(v)
	case KindDecimal:
		return parseDecimal(v, s.Scale)
	case KindMoney:
		return parseMoney(v)
	case KindDate:
		return ofString(v, parseDate)
	case KindChoice:
		return ofString(v, func(id string) (Value, *Fault) { return parseChoice(id, s.Options) })
	case KindChoices:
		return parseChoices(v, s.Options)
	case KindCitizenNumber:
		return ofString(v, parseCitizenNumber)
	case KindUSCC:
		return ofString(v, parseUSCC)
	case KindPhone:
		return ofString(v, parsePhone)
	case KindAddress:
		return parseAddress(v)
	case KindBankAccount:
		return ofString(v, parseBankAccount)
	case KindPlate:
		return ofString(v, parsePlate)
	case KindFile:
		return ofString(v, parseFile)
	case KindList:
		return parseList(v, s.Row)
	}
	return nil, &Fault{Code: WrongKind, Text: "无此字段类型"}
}

func ofString(v any, parse func(string) (Value, *Fault)) (Value, *Fault) {
	s, ok := v.(string)
	if !ok {
		return nil, &Fault{Code: WrongKind, Text: "应为文字"}
	}
	return parse(s)
}

// Encode returns the canonical form of v, made of bool, int64, string, []any and map[string]any only, and of nil for
// what was left blank.
// A Spec that accepts v parses it back to an equal value.
func Encode(v Value) any {
	switch v := v.(type) {
	case Text:
		return string(v)
	case Bool:
		return bool(v)
	case Int:
		return int64(v)
	case Decimal:
		return v.String()
	case Money:
		return v.String()
	case Date:
		return v.String()
	case Choice:
		return string(v)
	case Choices:
		ids := make([]any, len(v))
		for i, id := range v {
			ids[i] = id
		}
		return ids
	case CitizenNumber:
		return string(v)
	case USCC:
		return string(v)
	case Phone:
		return string(v)
	case Address:
		return map[string]any{"region": v.Region, "text": v.Text}
	case BankAccount:
		return string(v)
	case Plate:
		return string(v)
	case File:
		return string(v)
	case nil: // a cell that was left blank
		return nil
	case List:
		rows := make([]any, len(v))
		for i, row := range v {
			fields := make(map[string]any, len(row))
			for name, cell := range row {
				fields[name] = Encode(cell)
			}
			rows[i] = fields
		}
		return rows
	}
	return nil
}
