// Package kind knows the kinds of field: how the answer to each is parsed, normalised and checked,
// how it is written back, and how dates and money are reckoned with. It is pure, and no fault that
// it reports contains the value that was given.
package kind

// Kind is the kind of a field, as the bundle language names it. The zero Kind is none.
type Kind uint8

// The kinds of the bundle language.
const (
	KindText          Kind = iota + 1 // text of one or several lines
	KindBool                          // yes or no
	KindInt                           // whole number
	KindDecimal                       // exact decimal number
	KindMoney                         // amount in yuan and fen
	KindDate                          // calendar day
	KindChoice                        // one of the options
	KindChoices                       // any of the options
	KindCitizenNumber                 // citizen number, GB 11643
	KindUSCC                          // unified social credit code, GB 32100
	KindPhone                         // telephone number of the mainland
	KindAddress                       // region and text
	KindBankAccount                   // number of a bank account or card
	KindPlate                         // number plate of a vehicle
	KindFile                          // uploaded file
	KindList                          // list of rows
)

// String returns the name of k in the bundle language, such as "CITIZEN_NUMBER".
func (k Kind) String() string {
	names := [...]string{
		KindText: "TEXT", KindBool: "BOOL", KindInt: "INT", KindDecimal: "DECIMAL", KindMoney: "MONEY", KindDate: "DATE",
		KindChoice: "CHOICE", KindChoices: "CHOICES", KindCitizenNumber: "CITIZEN_NUMBER", KindUSCC: "USCC",
		KindPhone: "PHONE", KindAddress: "ADDRESS", KindBankAccount: "BANK_ACCOUNT", KindPlate: "PLATE",
		KindFile: "FILE", KindList: "LIST",
	}
	if k == 0 || int(k) >= len(names) {
		return "no kind"
	}
	return names[k]
}

// Parse returns the kind that the bundle language calls name.
func Parse(name string) (Kind, bool) {
	for k := KindText; k <= KindList; k++ {
		if k.String() == name {
			return k, true
		}
	}
	return 0, false
}

// Value is an answer that is not blank: one of Text, Bool, Int, Decimal, Money, Date, Choice, Choices,
// CitizenNumber, USCC, Phone, Address, BankAccount, Plate, File and List. A value that Spec.Parse
// returned is normalised, so equal answers are equal values.
//
//sumtype:decl
type Value interface {
	// Kind returns the kind of the value.
	Kind() Kind
	// Equal reports whether the other value has the same kind and the same content.
	Equal(Value) bool

	isValue()
}

// Bool is the answer yes or no.
type Bool bool

// Kind returns KindBool.
func (Bool) Kind() Kind { return KindBool }

// Equal reports whether v is the same answer.
func (b Bool) Equal(v Value) bool { return v == b }

func (Bool) isValue() {}

func parseBool(v any) (Value, *Fault) {
	b, ok := v.(bool)
	if !ok {
		return nil, &Fault{Code: WrongKind, Text: "应回答是或否"}
	}
	return Bool(b), nil
}

// File is the digest of an uploaded file: SHA-256 in 64 lower-case hexadecimal digits.
type File string

// Kind returns KindFile.
func (File) Kind() Kind { return KindFile }

// Equal reports whether v is the same file.
func (f File) Equal(v Value) bool { return v == f }

func (File) isValue() {}

func parseFile(s string) (Value, *Fault) {
	if len(s) != 64 {
		return nil, malformed("文件标识不正确")
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return nil, malformed("文件标识不正确")
		}
	}
	return File(s), nil
}
