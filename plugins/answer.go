package plugins

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Bounds of an answer. They are those of the forms: a value that exceeds them fits no field.
const (
	maxMembers    = 20_000 // members of all messages in an answer; a decoder needs some hundred bytes for each
	maxDepth      = 12
	maxFindings   = 200
	maxValues     = 500
	maxRows       = 500
	maxItems      = 200
	maxCodeRunes  = 64
	maxPathRunes  = 200
	maxTextRunes  = 4_000
	maxBasisRunes = 500
	maxValueRunes = 10_000
	maxFailure    = 500
)

// errMalformed is the cause of every answer that is not understood.
var errMalformed = errors.New("malformed")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errMalformed}, args...)...)
}

// decodeAnswer decodes what a guest answered. Unlike an ordinary decoder it refuses what it does not know, because a
// part of an answer that is not understood could be the part that matters, and it counts before it allocates.
func decodeAnswer(message []byte) (*pluginv1.Response, error) {
	response := new(pluginv1.Response)
	members := 0
	if err := survey(message, response.ProtoReflect().Descriptor(), 0, &members); err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(message, response); err != nil {
		return nil, malformed("no message onething.plugin.v1.Response")
	}
	return response, nil
}

// survey walks a message by its description without allocating.
func survey(message []byte, of protoreflect.MessageDescriptor, depth int, members *int) error {
	if depth > maxDepth {
		return malformed("nested more than %d deep", maxDepth)
	}
	for len(message) > 0 {
		if *members++; *members > maxMembers {
			return malformed("more than %d members", maxMembers)
		}
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return malformed("no message of %s", of.FullName())
		}
		message = message[n:]
		field := of.Fields().ByNumber(number)
		if field == nil {
			return malformed("%s has no member %d", of.FullName(), number)
		}
		size := protowire.ConsumeFieldValue(number, kind, message)
		if size < 0 || kind == protowire.StartGroupType || kind == protowire.EndGroupType {
			return malformed("no message of %s", of.FullName())
		}
		if field.Kind() == protoreflect.MessageKind {
			if kind != protowire.BytesType {
				return malformed("%s is no message", field.FullName())
			}
			inner, _ := protowire.ConsumeBytes(message)
			if err := survey(inner, field.Message(), depth+1, members); err != nil {
				return err
			}
		}
		message = message[size:]
	}
	return nil
}

// checkAnswer holds an answer against what the interface says of it, and returns nil, a MissingAnswer, or what is
// malformed. It names members, never their content.
func checkAnswer(hook pluginv1.Hook, r *pluginv1.Response) error {
	switch {
	case hook == pluginv1.Hook_HOOK_PREFILL && r.GetPrefill() != nil:
		return checkValues("proposals", r.GetPrefill().GetProposals())
	case hook == pluginv1.Hook_HOOK_CHECK && r.GetCheck() != nil:
		return checkFindings(r.GetCheck().GetFindings())
	case hook == pluginv1.Hook_HOOK_DECIDE && r.GetDecision() != nil:
		return checkDecision(r.GetDecision())
	case hook == pluginv1.Hook_HOOK_ISSUE && r.GetIssue() != nil:
		return checkIssue(r.GetIssue())
	case hook == pluginv1.Hook_HOOK_REVOKE && r.GetRevocation() != nil:
		return checkFindings(r.GetRevocation().GetFindings())
	default:
		return MissingAnswer
	}
}

func checkDecision(d *pluginv1.Decision) error {
	if err := errors.Join(checkFindings(d.GetFindings()), checkValues("result", d.GetResult())); err != nil {
		return err
	}
	switch d.GetOutcome() {
	case pluginv1.Outcome_OUTCOME_APPROVED:
		for _, f := range d.GetFindings() {
			if f.GetSeverity() != pluginv1.Severity_SEVERITY_NOTE {
				return malformed("an approval with a finding that is no note")
			}
		}
	case pluginv1.Outcome_OUTCOME_REJECTED, pluginv1.Outcome_OUTCOME_UNDETERMINED:
		if len(d.GetFindings()) == 0 {
			return malformed("%s without a finding that says why", d.GetOutcome())
		}
		if len(d.GetResult()) > 0 {
			return malformed("%s with a result", d.GetOutcome())
		}
	default:
		return malformed("no outcome %d", d.GetOutcome())
	}
	return nil
}

func checkIssue(i *pluginv1.Issue) error {
	if !mediaTypeForm.MatchString(i.GetMediaType()) {
		return malformed("a document without a media type")
	}
	if len(i.GetContent()) == 0 {
		return malformed("a document without content")
	}
	return checkValues("result", i.GetResult())
}

var (
	mediaTypeForm = regexp.MustCompile(`^[a-z]+/[a-z0-9.+-]{1,80}(; ?charset=[A-Za-z0-9-]{1,20})?$`)
	codeForm      = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	pathForm      = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)
	decimalForm   = regexp.MustCompile(`^-?[0-9]{1,40}(\.[0-9]{1,40})?$`)
	numberForm    = regexp.MustCompile(`^[0-9]{17}[0-9X]$`)
	regionForm    = regexp.MustCompile(`^([0-9]{6}([0-9]{3}([0-9]{3})?)?)?$`)
)

func checkFindings(findings []*pluginv1.Finding) error {
	if len(findings) > maxFindings {
		return malformed("more than %d findings", maxFindings)
	}
	for i, f := range findings {
		_, known := pluginv1.Severity_name[int32(f.GetSeverity())]
		switch {
		case !known:
			return malformed("finding %d has no severity %d", i, f.GetSeverity())
		case !codeForm.MatchString(f.GetCode()) || len(f.GetCode()) > maxCodeRunes:
			return malformed("finding %d has no code in lower snake case", i)
		case f.GetPath() != "" && !fits(f.GetPath(), maxPathRunes, pathForm):
			return malformed("finding %d has a path that is none", i)
		case strings.TrimSpace(f.GetTextZh()) == "" || !prose(f.GetTextZh(), maxTextRunes):
			return malformed("finding %d has no Chinese text of at most %d characters", i, maxTextRunes)
		case !prose(f.GetTextEn(), maxTextRunes), !prose(f.GetBasis(), maxBasisRunes):
			return malformed("finding %d has an English text or a basis that is too long", i)
		}
	}
	return nil
}

func checkValues(what string, values map[string]*pluginv1.Value) error {
	if len(values) > maxValues {
		return malformed("%s has more than %d values", what, maxValues)
	}
	for path, v := range values {
		if !fits(path, maxPathRunes, pathForm) {
			return malformed("%s has a value under a path that is none", what)
		}
		if err := checkValue(v, true); err != nil {
			return fmt.Errorf("%s %s: %w", what, path, err)
		}
	}
	return nil
}

// checkValue checks that a value is of its kind, and that no member is set which the kind does not have.
func checkValue(v *pluginv1.Value, lists bool) error {
	// What the kind has is taken off a copy; nothing may be left.
	rest := &pluginv1.Value{
		Text: v.GetText(), Number: v.GetNumber(), Flag: v.GetFlag(), Items: v.GetItems(), Region: v.GetRegion(), Rows: v.GetRows(),
	}
	ok := true
	switch v.GetKind() {
	case pluginv1.ValueKind_VALUE_KIND_TEXT:
		rest.Text, ok = "", prose(v.GetText(), maxValueRunes)
	case pluginv1.ValueKind_VALUE_KIND_BOOL:
		rest.Flag = false
	case pluginv1.ValueKind_VALUE_KIND_INT, pluginv1.ValueKind_VALUE_KIND_MONEY:
		rest.Number = 0
	case pluginv1.ValueKind_VALUE_KIND_DECIMAL:
		rest.Text, ok = "", decimalForm.MatchString(v.GetText())
	case pluginv1.ValueKind_VALUE_KIND_DATE:
		_, err := time.Parse(time.DateOnly, v.GetText())
		rest.Text, ok = "", err == nil
	case pluginv1.ValueKind_VALUE_KIND_CHOICE:
		rest.Text, ok = "", fits(v.GetText(), maxCodeRunes, codeForm)
	case pluginv1.ValueKind_VALUE_KIND_CHOICES:
		rest.Items, ok = nil, len(v.GetItems()) <= maxItems
		for _, item := range v.GetItems() {
			ok = ok && fits(item, maxCodeRunes, codeForm)
		}
	case pluginv1.ValueKind_VALUE_KIND_CITIZEN_NUMBER:
		rest.Text, ok = "", numberForm.MatchString(v.GetText())
	case pluginv1.ValueKind_VALUE_KIND_ADDRESS:
		rest.Text, rest.Region = "", ""
		ok = prose(v.GetText(), maxValueRunes) && regionForm.MatchString(v.GetRegion())
	case pluginv1.ValueKind_VALUE_KIND_LIST:
		if !lists || len(v.GetRows()) > maxRows {
			return malformed("a list in a list, or more than %d rows", maxRows)
		}
		rest.Rows = nil
		for _, row := range v.GetRows() {
			for id, cell := range row.GetCells() {
				if !fits(id, maxPathRunes, pathForm) {
					return malformed("a cell under an id that is none")
				}
				if err := checkValue(cell, false); err != nil {
					return err
				}
			}
		}
	default:
		return malformed("no kind %d", v.GetKind())
	}
	if !ok || proto.Size(rest) > 0 {
		return malformed("no value of its kind %s", v.GetKind())
	}
	return nil
}

// fits reports whether an identifier has a form and a length.
func fits(text string, most int, form *regexp.Regexp) bool {
	return len(text) <= most && form.MatchString(text)
}

// prose reports whether a text for people is not too long and holds no control characters but those of lines.
func prose(text string, most int) bool {
	return len(text) <= 4*most && utf8.RuneCountInString(text) <= most && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t'
	})
}
