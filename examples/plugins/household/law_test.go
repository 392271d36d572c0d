package main

import (
	"testing"
	"unicode/utf8"

	plugin "github.com/siyiban/onething/sdk/go"
)

// 户口登记条例 art. 7 and 8 with articles 201 and 202 of the Civil Code.
func TestRegisterBy(t *testing.T) {
	t.Parallel()
	for born, want := range map[string]string{
		"2026-03-15": "2026-04-15",
		"2026-01-31": "2026-02-28",
		"2024-01-30": "2024-02-29",
		"2026-12-10": "2027-01-10",
	} {
		if got := registerBy(plugin.MustDate(born)).String(); got != want {
			t.Errorf("born %s: by %s, want %s", born, got, want)
		}
	}
}

// The form of the numbers of the seventh edition, of which X320101001 was issued in Jiangsu.
func TestIsCertificateNumber(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, number string
		want         bool
	}{
		{"issued in Jiangsu", "X320101001", true},
		{"first letter of the alphabet", "A000000000", true},
		{"last letter of the alphabet", "Z999999999", true},
		{"one digit short", "X32010100", false},
		{"one digit more", "X3201010010", false},
		{"small letter", "x320101001", false},
		{"two letters", "XA20101001", false},
		{"before the alphabet", "@320101001", false},
		{"behind the alphabet", "[320101001", false},
		{"no letter", "3201010010", false},
		{"a full-width digit", "X32010100１", false},
		{"behind the digits", "X32010100:", false},
		{"empty", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := isCertificateNumber(tt.number); got != tt.want {
				t.Errorf("isCertificateNumber(%q) = %t", tt.number, got)
			}
		})
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, child string
		want        nameFault
	}{
		{"two characters", "王小", ""},
		{"three characters", "王小明", ""},
		{"a rare character of the basic plane", "王䶮", ""},
		{"a rare character of plane 2", "王𬭎", ""},
		{"a rare character of plane 3", "王𰻝", ""},
		{"first of extension A", "王㐀", ""},
		{"last of the basic block", "王\u9fff", ""},
		{"a compatibility ideograph", "王\uf900", ""},
		{"zero", "王〇", ""},
		{"a name of several parts", "阿依古丽·买买提", ""},
		{"a long name", "玛依拉·阿不都热合曼·吐尔逊", ""},
		{"empty", "", nameEmpty},
		{"a Latin letter", "王A明", nameLatin},
		{"a small Latin letter", "王小z", nameLatin},
		{"a letter with a mark", "王lü", nameLatin},
		{"a letter with a mark alone", "王ü", nameLatin},
		{"a digit", "王8", nameLatin},
		{"a full-width letter", "王Ａ", nameLatin},
		{"a full-width small letter", "王ｚ", nameLatin},
		{"a full-width digit", "王９", nameLatin},
		{"another dot", "阿依古丽•买买提", nameDot},
		{"a full stop for a dot", "阿依古丽.买买提", nameDot},
		{"a dot at the end", "买买提·", nameDot},
		{"a dot at the beginning", "·买买提", nameDot},
		{"two dots", "阿依古丽··买买提", nameDot},
		{"a space", "王 小明", nameForeign},
		{"kana", "王の", nameForeign},
		{"a multiplication sign is no letter", "王×", nameForeign},
		{"a division sign is no letter", "王÷", nameForeign},
		{"invalid UTF-8", "王\xff", nameForeign},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, faulty := checkName(tt.child)
			if got != tt.want || faulty != (tt.want != "") {
				t.Errorf("checkName(%q) = %q, %t, want %q", tt.child, got, faulty, tt.want)
			}
		})
	}
}

// Article 1015 of the Civil Code.
func TestSurnameOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, child, mother, father string
		want                        whose
	}{
		{"the father's", "王小明", "李红", "王强", ofFather},
		{"the mother's", "李小明", "李红", "王强", ofMother},
		{"both parents' the same", "王小明", "王红", "王强", ofFather},
		{"the father's, with the mother's behind it", "王李明", "李红", "王强", ofFather},
		{"a third surname", "赵小明", "李红", "王强", nobody},
		{"single parent", "李小明", "李红", "", ofMother},
		{"single parent, third surname", "王小明", "李红", "", nobody},
		{"a surname of two characters", "欧阳静", "李红", "欧阳明", ofFather},
		{"half of a surname of two characters", "欧静", "李红", "欧阳明", nobody},
		{"looks like one of two characters", "司小", "李红", "司马光", nobody},
		{"one character before the same character", "欧小", "李红", "欧阳", ofFather},
		{"the surname alone", "王", "李红", "王强", nobody},
		{"the surname of two characters alone", "欧阳", "李红", "欧阳明", nobody},
		{"the father's own name as last part", "艾力·买买提", "古丽·玉素甫", "买买提·吐尔逊", ofFather},
		{"the mother's family part", "艾力·玉素甫", "古丽·玉素甫", "买买提·吐尔逊", ofMother},
		{"no part in common", "艾力·卡德尔", "古丽·玉素甫", "买买提·吐尔逊", nobody},
		{"a single name after a parent of several parts", "艾力", "古丽·玉素甫", "买买提·吐尔逊", nobody},
		{"a rare surname of plane 2", "𬭎小明", "李红", "𬭎强", ofFather},
		{"no parent named", "王小明", "", "", nobody},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := surnameOf(tt.child, tt.mother, tt.father); got != tt.want {
				t.Errorf("surnameOf = %q, want %q", got, tt.want)
			}
		})
	}
}

// Each surname of two characters is told from its first character.
func TestSurnameIn_compound(t *testing.T) {
	t.Parallel()
	surnames := []string{
		"欧阳", "上官", "皇甫", "令狐", "诸葛", "司徒", "司马", "司空", "申屠", "夏侯", "贺兰", "完颜", "慕容", "尉迟", "长孙", "宇文", "公孙", "公羊",
		"东方", "东郭", "南宫", "南郭", "西门", "端木", "独孤", "百里", "澹台", "呼延", "闻人", "轩辕", "钟离", "鲜于", "濮阳", "淳于", "单于", "太史",
		"太叔", "左丘", "第五", "赫连", "万俟", "仲孙", "闾丘", "公冶", "宗政", "巫马", "公西", "颛孙", "壤驷", "乐正", "漆雕", "子车", "谷梁", "拓跋",
		"夹谷", "段干", "梁丘", "纳兰", "叶赫",
	}
	for _, surname := range surnames {
		if got := surnameIn(surname + "明"); got != surname {
			t.Errorf("surnameIn(%s明) = %s", surname, got)
		}
	}
	if got, want := utf8.RuneCountInString(compoundSurnames), 3*len(surnames)+1; got != want {
		t.Errorf("the list has %d characters, the test knows %d", got, want)
	}
}

func FuzzCheckName(f *testing.F) {
	for _, seed := range []string{"王小明", "阿依古丽·买买提", "王\xff", "·", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if _, faulty := checkName(name); !faulty && surnameIn(name) == "" {
			t.Errorf("%q is in order and has no surname", name)
		}
	})
}

// The blocks of characters, at their first and last and just outside.
func TestCheckName_blocks(t *testing.T) {
	t.Parallel()
	for want, runes := range map[nameFault][]rune{
		"": {0x3007, 0x3400, 0x4DBF, 0x4E00, 0x9FFF, 0xF900, 0xFAFF, 0x20000, 0x3FFFD},
		nameForeign: {0x3006, 0x3008, 0x33FF, 0x4DC0, 0x4DFF, 0xA000, 0xF8FF, 0xFB00, 0x1FFFF, 0x3FFFE, '/', ':', '@', '[', '`', '{', 0xBF, 0xD7, 0xF7, 0x250,
			0xFF0F, 0xFF1A, 0xFF20, 0xFF3B, 0xFF40, 0xFF5B},
		nameLatin: {'0', '9', 'A', 'Z', 'a', 'z', 0xC0, 0xD6, 0xD8, 0xF6, 0xF8, 0x24F, 0xFF10, 0xFF19, 0xFF21, 0xFF3A, 0xFF41, 0xFF5A},
		nameDot:   {'.', '．', '•', '‧', '・', '∙', '⋅'},
	} {
		for _, r := range runes {
			if got, _ := checkName("王" + string(r)); got != want {
				t.Errorf("%U: %q, want %q", r, got, want)
			}
		}
	}
}
