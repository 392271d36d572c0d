package api_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Every method that changes something is repeatable by a request id, and names the version of what was shown; every list
// has pages; whoever reads what is projected from the log can ask for at least a position. What does not says why.
func TestSchema_Conventions(t *testing.T) {
	t.Parallel()
	reads := []string{"Get", "List", "Search", "Assess", "Verdicts", "Watch", "Download", "Check", "Diff", "Preview", "Simulate"}
	without := map[string]map[string]string{ // by field: why a method does without
		"request_id": {
			"DiscardBundleDraft": "like DeleteDraft",
			"RepeatNotice":       "repeated twice, it is tried once, or once more under the same id",
			"TakeUpStream":       "the second time it is not parked",
			"DeleteDraft":        "a second one finds no draft, and a deleted draft leaves nothing that could remember a request",
		},
		"expected_version": {
			"VerifyPromise": "a promise is verified once, and the second one is refused", "RepairPromise": "a promise is repaired once, and the second one is refused",
			"CreateDraft":     "nothing was shown before",
			"DeleteDraft":     "whatever it says, its owner does not want it",
			"Prefill":         "it changes no draft: proposals become answers by SaveDraft",
			"UploadMaterial":  "a file takes the place of an earlier one on whatever revision there is, so that uploads go on while somebody types",
			"PutMaterial":     "like UploadMaterial",
			"Promise":         "what is signed is the text, word for word, whatever the revision",
			"Supply":          "it is about one material, which is missing or not",
			"Withdraw":        "an applicant may withdraw whatever was decided meanwhile, short of the end",
			"RepeatNotice":    "whatever has become of it meanwhile, one that was sent is refused",
			"TakeUpStream":    "it is parked or not",
			"ReleaseTask":     "it gives back only the caller's own claim",
			"PublishCalendar": "the calendar is published whole, whatever was in force",
			"ApproveProposal": "a proposal never changes, and with another version than that on which it was made it is outdated",
			"RejectProposal":  "a proposal never changes",

			"ReceiveDocument":      "a document never changes, and is served once",
			"ServeDocument":        "like ReceiveDocument",
			"WithdrawConfirmation": "it takes back only the caller's own, whatever was confirmed beside it",
			"CreateBundleDraft":    "nothing was shown before",
			"PushPlugin":           "a version is kept once, whatever is active",
			"ActivatePlugin":       "it names its version, and versions only move forward",
			"RollBackPlugin":       "it names its version",
			"ShadowPlugin":         "it names its version",
			"StopPlugin":           "whatever version answers, none shall",
			"GrantPlugin":          "it says all that a plugin may use, whatever it might before",
			"TrustPluginKey":       "it says all that a key may sign, whatever it might before",
			"RevokePluginKey":      "a key is revoked once and for ever",
		},
		"at_least_position": {
			"GetApplication": "", "GetCase": "", // have it
			"GetDraft": "drafts are not in the log", "ListDrafts": "drafts are not in the log",
			"GetBundle": "read from what is in force, never behind", "SearchBundles": "read from what is in force, never behind",
			"ListVersions": "read from what is in force, never behind", "GetVersion": "read from what is in force, never behind",
			"GetBundleDraft": "drafts are not in the log", "ListBundleDrafts": "drafts are not in the log", "CheckBundleDraft": "drafts are not in the log",
			"DiffVersions":  "keeps nothing, and reads what is in force",
			"ListProposals": "read from what is in force, never behind", "GetProposal": "read from what is in force, never behind",
			"CheckBundle": "keeps nothing, and reads what is in force",
			"ListNotices": "the list of notices is not in the log", "ListParkedStreams": "the followers' lists are not in the log",
			"Assess":      "keeps nothing and reads no application",
			"Verdicts":    "keeps nothing and reads no application",
			"PreviewMove": "reads the log itself", "SimulateVersion": "keeps nothing; what is filed meanwhile may be among them or not",
			"Watch": "reads the log itself, and goes on", "Download": "reads the log itself", "DownloadFile": "reads the log itself",
			"ListLookups":           "reads the log itself",
			"ListPlugins":           "read from what is in force, never behind",
			"GetPlugin":             "read from what is in force, never behind",
			"ListPluginKeys":        "read from what is in force, never behind",
			"GetPluginStats":        "not in the log: counted since the start",
			"ListPluginDifferences": "not in the log: counted since the start",
			"ListPluginLogs":        "not in the log: counted since the start",
			"GetDocuments":          "reads the log itself", "GetCaseDocuments": "reads the log itself", "GetTaskDocuments": "is called with a task that was shown", "DownloadMaterial": "is called with a task that was shown",
		},
	}
	methods := 0
	protoregistry.GlobalFiles.RangeFilesByPackage("onething.api.v1", func(file protoreflect.FileDescriptor) bool {
		for s := range file.Services().Len() {
			service := file.Services().Get(s)
			for m := range service.Methods().Len() {
				methods++
				method := service.Methods().Get(m)
				name := string(method.Name())
				in, out := method.Input().Fields(), method.Output().Fields()
				if header := in.ByName("header"); header != nil { // of an upload
					in = header.Message().Fields()
				}
				has := func(field protoreflect.Name) bool { return in.ByName(field) != nil }
				wants := func(field string) {
					reason, excused := without[field][name]
					switch {
					case has(protoreflect.Name(field)) && excused && reason != "":
						t.Errorf("%s has %s: its excuse is out of date", name, field)
					case !has(protoreflect.Name(field)) && reason == "":
						t.Errorf("%s has no %s, and nothing says why", name, field)
					}
				}
				read := false
				for _, prefix := range reads {
					read = read || strings.HasPrefix(name, prefix)
				}
				if !read {
					wants("request_id")
					wants("expected_version")
				} else {
					wants("at_least_position")
				}
				if strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Search") {
					page := in.ByName("page")
					if page == nil || page.Message().Fields().ByName("size") == nil || page.Message().Fields().ByName("token") == nil || out.ByName("next_token") == nil {
						t.Errorf("%s has no pages", name)
					}
				}
			}
		}
		return true
	})
	if methods < 30 {
		t.Errorf("only %d methods were looked at", methods)
	}
}
