package kind

// FaultCode says what is wrong with a value, for programs.
type FaultCode string

// The codes of a Fault.
const (
	WrongKind        FaultCode = "wrong_kind"        // another kind of value, such as a number for a text
	Empty            FaultCode = "empty"             // nothing left after trimming; a blank answer is null
	Malformed        FaultCode = "malformed"         // not of the form that the kind has
	PatternMismatch  FaultCode = "pattern"           // not of the form that the field asks for
	CheckDigit       FaultCode = "check_digit"       // the check character does not fit: mistyped
	NoSuchDate       FaultCode = "no_such_date"      // no day of the calendar, such as February 30
	NoSuchOption     FaultCode = "no_such_option"    // none of the field's options
	TooLong          FaultCode = "too_long"          // too many characters or elements
	TooLarge         FaultCode = "too_large"         // beyond the range of the kind
	TooManyDigits    FaultCode = "too_many_digits"   // more digits than the field has, or than a JSON number keeps
	ControlCharacter FaultCode = "control_character" // a character that does not print or reorders the text
	InvalidText      FaultCode = "invalid_text"      // not UTF-8, or a character was lost on the way
	UnknownKey       FaultCode = "unknown_key"       // a key that the object does not have
	MissingKey       FaultCode = "missing_key"       // a key that the object must have
)

// Fault is why a value is not an answer. It never contains the value.
type Fault struct {
	Code FaultCode
	Text string // for the applicant, in Chinese
	Path string // where inside the value: "" for the value itself, "region", "[2]" or "[2].capital"
}

func malformed(text string) *Fault { return &Fault{Code: Malformed, Text: text} }

// at returns f with its path below the given one.
func (f *Fault) at(path string) *Fault {
	below := *f
	switch {
	case f.Path == "":
		below.Path = path
	case f.Path[0] == '[':
		below.Path = path + f.Path
	default:
		below.Path = path + "." + f.Path
	}
	return &below
}
