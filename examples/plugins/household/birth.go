package main

import (
	"strings"

	"github.com/siyiban/onething/examples/plugins/civil"
	"github.com/siyiban/onething/examples/plugins/notice"
	plugin "github.com/siyiban/onething/sdk/go"
)

// Paths of a birth.
const (
	pathChild      = "form.newborn.name"
	pathGender     = "form.newborn.gender"
	pathBorn       = "form.newborn.birth_date"
	pathCert       = "own.cert_no"
	pathMother     = "form.mother.name"
	pathMotherID   = "form.mother.id_no"
	pathFather     = "form.father.name"
	pathFatherID   = "form.father.id_no"
	pathAddress    = "form.household_register.addr"
	pathHead       = "form.household_register.head_name"
	pathHeadID     = "form.household_register.head_id"
	pathKind       = "form.household_register.kind"
	purposeBirth   = "办理新生儿出生户口登记"
	basisBirth     = "户口登记条例 第七条"
	basisName      = "民法典 第一千零一十五条"
	basisHousehold = "国办发〔2015〕96号"
)

// parent is the mother or the father, as the form names them.
type parent struct {
	namePath, numberPath string
	name                 string
	number               plugin.CitizenNumber
}

// birth is what the form says.
type birth struct {
	child, cert    string
	born           plugin.Date
	male           bool
	mother, father parent // the father's name is empty where no father is registered
	address        plugin.Address
	head           string
	headID         plugin.CitizenNumber // empty if the form leaves it blank
	collective     bool
}

// readBirth reads the form; every answer that the decision needs and that is not there becomes a doubt. The head's
// number may be left blank.
func readBirth(call *plugin.Call) (birth, []plugin.Finding) {
	var b birth
	var doubts []plugin.Finding
	need := func(path string, ok bool) {
		if !ok {
			doubts = append(doubts, missing(path))
		}
	}
	var ok bool
	b.child, ok = call.Text(pathChild)
	need(pathChild, ok)
	gender, _ := call.Choice(pathGender)
	need(pathGender, gender == "male" || gender == "female")
	b.male = gender == "male"
	b.born, ok = call.Date(pathBorn)
	need(pathBorn, ok)
	b.cert, ok = call.Text(pathCert)
	need(pathCert, ok && b.cert != "")

	b.mother = parent{namePath: pathMother, numberPath: pathMotherID}
	b.mother.name, ok = call.Text(pathMother)
	need(pathMother, ok)
	b.mother.number, ok = call.CitizenNumber(pathMotherID)
	need(pathMotherID, ok)
	b.father = parent{namePath: pathFather, numberPath: pathFatherID}
	var named, numbered bool
	b.father.name, named = call.Text(pathFather)
	b.father.number, numbered = call.CitizenNumber(pathFatherID)
	if named || numbered {
		need(pathFather, named)
		need(pathFatherID, numbered)
	}

	b.address, ok = call.Address(pathAddress)
	need(pathAddress, ok)
	b.head, ok = call.Text(pathHead)
	need(pathHead, ok)
	b.headID, _ = call.CitizenNumber(pathHeadID)
	kind, _ := call.Choice(pathKind)
	need(pathKind, kind == "family" || kind == "collective")
	b.collective = kind == "collective"
	return b, doubts
}

// faults are what the form says that cannot be right, or that the law leaves to a person. Answers that are not there
// are not faults.
func (b birth) faults(today plugin.Date) []plugin.Finding {
	var found []plugin.Finding
	if b.child != "" {
		if fault, bad := checkName(b.child); bad {
			found = append(found, nameFinding(fault))
		} else if b.mother.name != "" && (b.father.name != "" || b.father.number == "") && surnameOf(b.child, b.mother.name, b.father.name) == nobody {
			found = append(found, plugin.Finding{Code: "surname_third", Severity: plugin.Note, Path: pathChild, Basis: basisName,
				TextZH: "姓氏既不随父也不随母，须有民法典规定的理由，由民警审核",
				TextEN: "The surname is neither the father's nor the mother's; an officer judges the reason"})
		}
	}
	if !b.born.IsZero() && today.Before(b.born) {
		found = append(found, plugin.Finding{Code: "born_later", Severity: plugin.Correct, Path: pathBorn, Basis: basisBirth,
			TextZH: "出生日期晚于申请日，请核对", TextEN: "The date of birth is after the day of application"})
	}
	if b.cert != "" && !isCertificateNumber(b.cert) {
		found = append(found, plugin.Finding{Code: "certificate_number", Severity: plugin.Correct, Path: pathCert,
			TextZH: "出生医学证明编号应为一个大写字母加九位数字，请核对", TextEN: "A birth certificate's number is one capital letter and nine digits"})
	}
	found = append(found, b.mother.faults(false)...)
	found = append(found, b.father.faults(true)...)
	if b.mother.number != "" && b.mother.number == b.father.number {
		found = append(found, plugin.Finding{Code: "parents_same", Severity: plugin.Correct, Path: pathFatherID,
			TextZH: "父母的公民身份号码相同，请核对", TextEN: "Both parents have the same number"})
	}
	if b.collective {
		found = append(found, plugin.Finding{Code: "collective_household", Severity: plugin.Note, Path: pathKind,
			TextZH: "落户在集体户，须由民警按本地规定审核", TextEN: "A collective household: an officer judges by local rules"})
	}
	return found
}

// faults compares a parent's number with the parent. Somebody registered anew may rightly differ, so it is a note.
func (p parent) faults(male bool) []plugin.Finding {
	if p.number == "" {
		return nil
	}
	n, ok := civil.ReadNumber(p.number)
	switch {
	case !ok:
		return []plugin.Finding{{Code: "parent_number", Severity: plugin.Correct, Path: p.numberPath, Basis: "GB 11643-1999",
			TextZH: "公民身份号码有误，请核对", TextEN: "The citizen number is wrong"}}
	case n.Male != male:
		return []plugin.Finding{{Code: "parent_sex", Severity: plugin.Note, Path: p.numberPath, Basis: "GB 11643-1999",
			TextZH: "公民身份号码中的性别与父母身份不一致，由民警核实", TextEN: "The sex in the number is not that of this parent"}}
	}
	return nil
}

func nameFinding(fault nameFault) plugin.Finding {
	f := plugin.Finding{Code: string(fault), Severity: plugin.Correct, Path: pathChild, Basis: "民法典 第一千零一十二条"}
	switch fault {
	case nameEmpty:
		f.TextZH, f.TextEN = "请填写新生儿姓名", "The child needs a name"
	case nameLatin:
		f.TextZH, f.TextEN = "姓名中不能使用字母或者数字，请改用汉字", "Letters and digits cannot be used in a name"
	case nameDot:
		f.TextZH, f.TextEN = "间隔号请写作“·”（U+00B7），且前后都要有文字", "Write the dot between parts of a name as “·” (U+00B7)"
	default:
		f.TextZH, f.TextEN = "姓名中有不能登记的字符，请改用汉字", "The name holds a character that cannot be registered"
	}
	return f
}

// checkBirth names what the applicant should correct, and whether the birth is registered already. An answer that is
// still missing is none of its business: the number of the certificate comes from an earlier step.
func checkBirth(call *plugin.Call) ([]plugin.Finding, error) {
	b, _ := readBirth(call)
	found := b.faults(call.Today())
	if !b.born.IsZero() && registerBy(b.born).Before(call.Today()) {
		found = append(found, lateBirth())
	}
	if !isCertificateNumber(b.cert) {
		return found, nil
	}
	registered, err := call.SharedData(sourceBirths, b.cert, purposeBirth)
	switch {
	case err != nil:
		return nil, err
	case !registered.Answered:
		found = append(found, silent(sourceBirths))
	case registered.Found:
		found = append(found, alreadyRegistered())
	}
	return found, nil
}

// decideBirth registers the child if the form is in order, the birth is not registered yet, the household is that of
// the mother or of the father, and a citizen number that fits has been allocated.
func decideBirth(call *plugin.Call) (plugin.Decision, error) {
	b, doubts := readBirth(call)
	doubts = append(doubts, b.faults(call.Today())...)
	if len(doubts) > 0 {
		return plugin.Undetermined(doubts[0], doubts[1:]...), nil
	}

	registered, err := call.SharedData(sourceBirths, b.cert, purposeBirth)
	switch {
	case err != nil:
		return plugin.Decision{}, err
	case !registered.Answered:
		return plugin.Undetermined(silent(sourceBirths)), nil
	case registered.Found:
		return plugin.Reject(alreadyRegistered()), nil
	}
	doubt, err := b.householdDoubt(call)
	if err != nil {
		return plugin.Decision{}, err
	}
	if doubt != nil {
		return plugin.Undetermined(*doubt), nil
	}
	number, doubt, err := b.allocatedNumber(call)
	if err != nil {
		return plugin.Decision{}, err
	}
	if doubt != nil {
		return plugin.Undetermined(*doubt), nil
	}

	result := plugin.Values{
		"id_no":         number,
		"registered_on": call.Today(),
		"surname_of":    plugin.Text(surnameText(surnameOf(b.child, b.mother.name, b.father.name))),
	}
	if registerBy(b.born).Before(call.Today()) {
		return plugin.Approve(result, lateBirth()), nil
	}
	return plugin.Approve(result), nil
}

// householdDoubt is nil if the household on the form is the one in which the mother or the father is registered; the
// parents choose freely between the two (国办发〔2015〕96号). Any other household, of grandparents for example, is an
// officer's matter.
func (b birth) householdDoubt(call *plugin.Call) (*plugin.Finding, error) {
	parents := []parent{b.mother}
	if b.father.name != "" {
		parents = append(parents, b.father)
	}
	for _, p := range parents {
		entry, err := call.SharedData(sourcePopulation, string(p.number), purposeBirth)
		if err != nil {
			return nil, err
		}
		if !entry.Answered {
			f := silent(sourcePopulation)
			return &f, nil
		}
		name, _ := entry.Values.Text("name")
		if entry.Found && name != p.name {
			return &plugin.Finding{Code: "parent_name", Severity: plugin.Note, Path: p.namePath,
				TextZH: "父母姓名与人口登记信息不一致，由民警核实", TextEN: "A parent's name differs from the register"}, nil
		}
		if entry.Found && b.inHousehold(entry.Values) {
			return nil, nil
		}
	}
	return &plugin.Finding{Code: "household_other", Severity: plugin.Note, Path: pathHead, Basis: basisHousehold,
		TextZH: "落户的家庭户不是父亲或者母亲户口所在的户，由民警审核", TextEN: "The household is neither the mother's nor the father's"}, nil
}

// inHousehold compares the household on the form with the one of a register entry: the same head, by number where the
// form has it, and the same county.
func (b birth) inHousehold(entry plugin.Fields) bool {
	state, _ := entry.Text("state")
	head, hasHead := entry.Text("head_name")
	headID, hasHeadID := entry.CitizenNumber("head_id")
	address, hasAddress := entry.Address("address")
	if state != "registered" || !hasHead || head != b.head || !hasAddress || county(address.Region) != county(b.address.Region) {
		return false
	}
	return b.headID == "" || hasHeadID && headID == b.headID
}

// allocatedNumber is the citizen number that the police's own system has allocated for the birth. It must say what the
// form says: day of birth, sex, and the county of the household.
func (b birth) allocatedNumber(call *plugin.Call) (plugin.CitizenNumber, *plugin.Finding, error) {
	entry, err := call.SharedData(sourceNumbers, b.cert, purposeBirth)
	if err != nil {
		return "", nil, err
	}
	if !entry.Answered {
		f := silent(sourceNumbers)
		return "", &f, nil
	}
	number, ok := entry.Values.CitizenNumber("id_no")
	if !entry.Found || !ok {
		return "", &plugin.Finding{Code: "number_pending", Severity: plugin.Note,
			TextZH: "公民身份号码尚未编制，由民警编制后登记", TextEN: "No citizen number has been allocated yet"}, nil
	}
	n, ok := civil.ReadNumber(number)
	if !ok || n.Birth != b.born || n.Male != b.male || n.Area != county(b.address.Region) {
		return "", &plugin.Finding{Code: "number_differs", Severity: plugin.Note, Basis: "GB 11643-1999",
			TextZH: "编制的公民身份号码与出生日期、性别或者落户地不一致，由民警核实", TextEN: "The allocated number does not fit birth, sex or place"}, nil
	}
	return number, nil, nil
}

// county is the first six digits of a region code.
func county(region string) string { return region[:min(len(region), 6)] }

func alreadyRegistered() plugin.Finding {
	return plugin.Finding{Code: "already_registered", Severity: plugin.Obstacle, Path: pathCert, Basis: basisBirth,
		TextZH: "该出生医学证明已办理过户口登记；信息有误的，请向户籍派出所申请更正",
		TextEN: "This birth is registered already; apply to the police station to correct the entry"}
}

func lateBirth() plugin.Finding {
	return plugin.Finding{Code: "registered_late", Severity: plugin.Note, Path: pathBorn, Basis: basisBirth,
		TextZH: "已超过出生后一个月的申报期限，仍可登记", TextEN: "Later than one month after the birth, which is no obstacle"}
}

func surnameText(w whose) string {
	if w == ofMother {
		return "随母姓"
	}
	return "随父姓"
}

// prefillBirth proposes the mother's household, or else the father's, to whoever has given that parent's number and
// the name that the register has for it: a number alone opens nothing.
func prefillBirth(call *plugin.Call) (plugin.Values, error) {
	for _, p := range []struct{ name, number string }{{pathMother, pathMotherID}, {pathFather, pathFatherID}} {
		name, named := call.Text(p.name)
		number, numbered := call.CitizenNumber(p.number)
		if !named || !numbered {
			continue
		}
		entry, err := call.SharedData(sourcePopulation, string(number), "预填"+strings.TrimPrefix(purposeBirth, "办理")+"申请")
		if err != nil {
			return nil, err
		}
		if known, _ := entry.Values.Text("name"); !entry.Found || known != name {
			continue
		}
		proposals := plugin.Values{}
		if address, ok := entry.Values.Address("address"); ok {
			proposals[pathAddress] = address
		}
		if head, ok := entry.Values.Text("head_name"); ok {
			proposals[pathHead] = plugin.Text(head)
		}
		if headID, ok := entry.Values.CitizenNumber("head_id"); ok {
			proposals[pathHeadID] = headID
		}
		return proposals, nil
	}
	return nil, nil
}

// issueBirth is the notice of the new page in the household book.
func issueBirth(call *plugin.Call) (plugin.Document, error) {
	number, _ := call.Result.CitizenNumber("id_no")
	on, _ := call.Result.Date("registered_on")
	surname, _ := call.Result.Text("surname_of")
	child, _ := call.Text(pathChild)
	born, _ := call.Date(pathBorn)
	head, _ := call.Text(pathHead)
	address, _ := call.Address(pathAddress)
	return notice.Document("出生户口登记通知书", []notice.Line{
		{Label: "姓名", Text: child},
		{Label: "出生日期", Text: civil.Chinese(born)},
		{Label: "公民身份号码", Text: string(number)},
		{Label: "随姓情况", Text: surname},
		{Label: "户主姓名", Text: head},
		{Label: "落户地址", Text: address.Text},
		{Label: "登记日期", Text: civil.Chinese(on)},
	}, "上述新生儿已依照《中华人民共和国户口登记条例》办理出生登记，居民户口簿新增页与本通知书信息一致。"), nil
}
