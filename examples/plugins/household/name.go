package main

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// middleDot joins the parts of the names of several minorities (U+00B7, GB/T 13000).
const middleDot = "·"

// nameFault is what is wrong with the characters of a name: the code of a finding.
type nameFault string

const (
	nameEmpty   nameFault = "name_empty"
	nameLatin   nameFault = "name_latin"     // letters of another script, or digits
	nameDot     nameFault = "name_dot"       // a dot that is not U+00B7, or stands at an end or beside another
	nameForeign nameFault = "name_character" // anything else that is no Chinese character
)

// checkName looks at the characters of a name. No national law limits its length or names the characters allowed, so
// rare characters, also those beyond the basic plane, are in order; by practice letters and digits are not.
func checkName(name string) (nameFault, bool) {
	if name == "" {
		return nameEmpty, true
	}
	for part := range strings.SplitSeq(name, middleDot) {
		if part == "" {
			return nameDot, true
		}
		for _, r := range part {
			switch {
			case han(r):
			case strings.ContainsRune(".．•‧・∙⋅", r):
				return nameDot, true
			case letterOrDigit(r):
				return nameLatin, true
			default:
				return nameForeign, true
			}
		}
	}
	return "", false
}

// han is true for a Chinese character: the unified and compatibility ideographs, the zero 〇, and all of the two planes
// that are set apart for ideographs, so that a character encoded tomorrow is no fault today.
func han(r rune) bool {
	switch {
	case r == 0x3007, r >= 0x3400 && r <= 0x4DBF, r >= 0x4E00 && r <= 0x9FFF, r >= 0xF900 && r <= 0xFAFF, r >= 0x20000 && r <= 0x3FFFD:
		return true
	}
	return false
}

func letterOrDigit(r rune) bool {
	switch {
	case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', // ASCII
		r >= 0xC0 && r <= 0x24F && r != 0xD7 && r != 0xF7,                                  // Latin letters with marks
		r >= 0xFF10 && r <= 0xFF19, r >= 0xFF21 && r <= 0xFF3A, r >= 0xFF41 && r <= 0xFF5A: // full width
		return true
	}
	return false
}

// whose says after whom a child is named.
type whose string

const (
	nobody   whose = ""
	ofMother whose = "mother"
	ofFather whose = "father"
)

// surnameOf says whose surname a child's name begins with: article 1015 of the Civil Code lets the child take the
// father's or the mother's. A parent who is not named is "". Nobody means that the law's other reasons, or the custom
// of a people, have to be judged, which is an officer's task.
func surnameOf(child, mother, father string) whose {
	for _, parent := range []struct {
		who  whose
		name string
	}{{ofFather, father}, {ofMother, mother}} {
		if parent.name != "" && follows(child, parent.name) {
			return parent.who
		}
	}
	return nobody
}

// follows is true if the child's name bears the parent's surname. A name of several parts, joined by the dot, follows
// its people's custom (article 1015, last paragraph), mostly that the child's last part is a parent's own name; then a
// common part is enough.
func follows(child, parent string) bool {
	if strings.Contains(child, middleDot) {
		last := child[strings.LastIndex(child, middleDot)+len(middleDot):]
		return slices.Contains(strings.Split(parent, middleDot), last)
	}
	surname := surnameIn(parent)
	return strings.HasPrefix(child, surname) && child != surname
}

// surnameIn is the surname that a name begins with: one of two characters if the name begins with a known one and
// goes on, else the first character. A name that only looks like it (司 called 马光) is then an officer's question,
// never a wrong yes.
func surnameIn(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	if first == utf8.RuneError {
		return name
	}
	_, second := utf8.DecodeRuneInString(name[size:])
	if two := name[:size+second]; two != name && strings.Contains(compoundSurnames, " "+two+" ") {
		return two
	}
	return name[:size]
}

// compoundSurnames are the surnames of two characters that are in use, as the register of names counts them.
const compoundSurnames = " 欧阳 上官 皇甫 令狐 诸葛 司徒 司马 司空 申屠 夏侯 贺兰 完颜 慕容 尉迟 长孙 宇文 公孙 公羊 东方 东郭 南宫 南郭 " +
	"西门 端木 独孤 百里 澹台 呼延 闻人 轩辕 钟离 鲜于 濮阳 淳于 单于 太史 太叔 左丘 第五 赫连 万俟 仲孙 闾丘 公冶 宗政 巫马 公西 颛孙 壤驷 " +
	"乐正 漆雕 子车 谷梁 拓跋 夹谷 段干 梁丘 纳兰 叶赫 "
