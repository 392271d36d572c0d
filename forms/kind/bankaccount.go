package kind

// BankAccount is the number of a bank account or card: 8 to 30 digits. No check digit is asked for: only
// card numbers have one (ISO/IEC 7812-1), accounts of companies and passbooks have none, and no rule tells
// the two apart by their digits. The bank says whether an account exists.
type BankAccount string

// Kind returns KindBankAccount.
func (BankAccount) Kind() Kind { return KindBankAccount }

// Equal reports whether v is the same account.
func (b BankAccount) Equal(v Value) bool { return v == b }

func (BankAccount) isValue() {}

func parseBankAccount(s string) (Value, *Fault) {
	s = compact(s)
	if !isDigits(s) || len(s) < 8 || len(s) > 30 {
		return nil, malformed("银行账号应为 8 至 30 位数字")
	}
	return BankAccount(s), nil
}
