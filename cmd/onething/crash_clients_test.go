//go:build unix

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/examples/intake"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// tolerated is the material that follows.
const tolerated = "discharge_summary.mother"

func protoValues(answers intake.Answers) (map[string]*structpb.Value, error) {
	values := map[string]*structpb.Value{}
	for path, answer := range answers {
		value, err := structpb.NewValue(answer)
		if err != nil {
			return nil, err
		}
		values[path] = value
	}
	return values, nil
}

// files files one application and brings it so far that the plugin can decide.
func (k *killed) files(ctx context.Context) error {
	id, revision, err := k.draft(ctx)
	if err != nil {
		return err
	}
	request := uuid.NewString()
	k.facts.note(id, func(f *fact) { f.submitting = true })
	filed, err := until(ctx, k, func(st *stage) (*apiv1.SubmitResponse, error) {
		return st.as("resident").Intake.Submit(ctx, &apiv1.SubmitRequest{RequestId: request, Draft: id, ExpectedVersion: revision})
	})
	if err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	k.facts.note(id, func(f *fact) { f.number = filed.GetNumber(); k.facts.filed++ })
	for _, step := range []func(context.Context, string) error{k.correct, k.accept, k.decide("certificate", intake.Answers{"number": "X321323001"}), k.supply, k.decide("vaccination", intake.Answers{"file_no": "3213230020260001"})} {
		if err := step(ctx, id); err != nil {
			return err
		}
	}
	k.facts.note(id, func(f *fact) { f.finished = true })
	return nil
}

// draft makes a draft with all that is needed.
func (k *killed) draft(ctx context.Context) (id string, revision int64, err error) {
	request := uuid.NewString()
	created, err := until(ctx, k, func(st *stage) (*apiv1.CreateDraftResponse, error) {
		return st.as("resident").Intake.CreateDraft(ctx, &apiv1.CreateDraftRequest{RequestId: request, Bundles: []string{"newborn"}})
	})
	if err != nil {
		return "", 0, fmt.Errorf("create draft: %w", err)
	}
	id, revision = created.GetDraft().GetDraft(), created.GetDraft().GetRevision()
	k.facts.note(id, func(f *fact) { f.revision = revision })
	b := birth()
	b.answers["own.newborn.insured"], b.answers["own.newborn.claim"] = true, true
	b.answers["form.mother_account.holder"], b.answers["form.mother_account.bank"] = "周雨桐", "农村商业银行众兴支行"
	b.answers["form.mother_account.account"], b.answers["form.mother_account.is_sscard"] = "6230660000112233445", true
	values, err := protoValues(b.answers)
	if err != nil {
		return "", 0, err
	}
	saves := []func(*stage, string) (int64, error){func(st *stage, request string) (int64, error) {
		saved, err := st.as("resident").Intake.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: request, Draft: id, ExpectedVersion: revision, Changes: values})
		return saved.GetRevision(), err
	}}
	for _, material := range b.uploads {
		saves = append(saves, func(st *stage, request string) (int64, error) {
			put, err := st.as("resident").Intake.PutMaterial(ctx, &apiv1.PutMaterialRequest{Header: header(request, id, material), Content: document(material)})
			return put.GetRevision(), err
		})
	}
	saves = append(saves, func(st *stage, request string) (int64, error) {
		shown, err := st.as("resident").Intake.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: id})
		if err != nil {
			return 0, err
		}
		text := shown.GetChange().GetChanged().GetMaterials()[tolerated].GetTolerance().GetZh()
		signed, err := st.as("resident").Intake.Promise(ctx, &apiv1.PromiseRequest{RequestId: request, Draft: id, Material: tolerated, Tolerate: true, Text: text})
		return signed.GetRevision(), err
	})
	for _, save := range saves {
		request := uuid.NewString()
		if revision, err = until(ctx, k, func(st *stage) (int64, error) { return save(st, request) }); err != nil {
			return "", 0, fmt.Errorf("draft: %w", err)
		}
		k.facts.note(id, func(f *fact) { f.revision = revision; k.facts.saved++ })
	}
	return id, revision, nil
}

func header(request, application, material string) *apiv1.UploadHeader {
	return &apiv1.UploadHeader{RequestId: request, Application: application, Material: material, Name: material + ".pdf", MediaType: "application/pdf"}
}

func document(material string) []byte { return []byte("%PDF-1.7\n% " + material + "\n%%EOF\n") }

// correct changes an answer of an application that was filed.
func (k *killed) correct(ctx context.Context, id string) error {
	changes, err := protoValues(intake.Answers{"form.newborn.hospital": "县人民医院"})
	if err != nil {
		return err
	}
	for {
		shown, err := until(ctx, k, func(st *stage) (*apiv1.Application, error) { return st.as("resident").Filed(id).Application(ctx) })
		if err != nil {
			return fmt.Errorf("correct: %w", err)
		}
		request := uuid.NewString()
		corrected, err := until(ctx, k, func(st *stage) (*apiv1.CorrectResponse, error) {
			return st.as("resident").Intake.Correct(ctx, &apiv1.CorrectRequest{RequestId: request, Application: id, ExpectedVersion: shown.GetVersion(), Changes: changes})
		})
		if stale(err) {
			continue // a check was answered in between
		}
		if err != nil {
			return fmt.Errorf("correct: %w", err)
		}
		k.facts.note(id, func(f *fact) { f.record = corrected.GetRevision(); k.facts.corrected++ })
		return nil
	}
}

// accept accepts the case as soon as the plugins' checks are there.
func (k *killed) accept(ctx context.Context, id string) error {
	for {
		shown, err := until(ctx, k, func(st *stage) (*apiv1.GetCaseResponse, error) {
			return st.reviewable(ctx, st.as("resident").Filed(id), "newborn")
		})
		if err != nil {
			return fmt.Errorf("review: %w", err)
		}
		request := uuid.NewString()
		_, err = until(ctx, k, func(st *stage) (*apiv1.AcceptResponse, error) {
			c := shown.GetCase()
			return st.as("clerk").Review.Accept(ctx, &apiv1.AcceptRequest{RequestId: request, Application: id, Bundle: c.GetBundle(), ExpectedVersion: c.GetVersion()})
		})
		if stale(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		k.facts.note(id, func(f *fact) { f.accepted = true })
		return nil
	}
}

// decide lets an officer approve a step.
func (k *killed) decide(step string, result intake.Answers) func(context.Context, string) error {
	return func(ctx context.Context, id string) error {
		values, err := protoValues(result)
		if err != nil {
			return err
		}
		for {
			task, err := until(ctx, k, func(st *stage) (*apiv1.Task, error) { return k.openTask(ctx, st, id, step) })
			if err != nil {
				return fmt.Errorf("find task %s: %w", step, err)
			}
			claim, decision := uuid.NewString(), uuid.NewString()
			claimed, err := until(ctx, k, func(st *stage) (*apiv1.ClaimTaskResponse, error) {
				return st.as("officer-health").Task.ClaimTask(ctx, &apiv1.ClaimTaskRequest{RequestId: claim, Task: task.GetTask(), ExpectedVersion: task.GetVersion()})
			})
			if stale(err) {
				continue
			}
			if err != nil {
				return fmt.Errorf("claim %s: %w", step, err)
			}
			_, err = until(ctx, k, func(st *stage) (*apiv1.DecideTaskResponse, error) {
				return st.as("officer-health").Task.DecideTask(ctx, &apiv1.DecideTaskRequest{RequestId: decision, Task: task.GetTask(), ExpectedVersion: claimed.GetVersion(), Approve: true, Result: values})
			})
			if stale(err) {
				continue
			}
			if err != nil {
				return fmt.Errorf("decide %s: %w", step, err)
			}
			k.facts.note(id, func(f *fact) { f.decided = append(f.decided, step); k.facts.decided++ })
			return nil
		}
	}
}

// openTask waits until a step is open and in the queue.
func (k *killed) openTask(ctx context.Context, st *stage, id, step string) (*apiv1.Task, error) {
	var found *apiv1.Task
	_, err := st.as("resident").Filed(id).Until(ctx, func(a *apiv1.Application) (bool, error) {
		if !slices.ContainsFunc(a.GetCases()[0].GetTasks(), func(t *apiv1.CaseTask) bool { return t.GetStep() == step && t.GetState() == "OPEN" }) {
			return false, nil
		}
		queue, err := st.as("officer-health").Tasks(ctx, 0)
		if err != nil {
			return false, err
		}
		n := slices.IndexFunc(queue, func(t *apiv1.Task) bool { return t.GetApplication() == id && t.GetStep() == step })
		if n < 0 {
			return false, errors.New("it is open and not in the queue")
		}
		found = queue[n]
		return true, nil
	})
	return found, err
}

// supply brings what was to follow.
func (k *killed) supply(ctx context.Context, id string) error {
	upload, request := uuid.NewString(), uuid.NewString()
	put, err := until(ctx, k, func(st *stage) (*apiv1.PutMaterialResponse, error) {
		return st.as("resident").Intake.PutMaterial(ctx, &apiv1.PutMaterialRequest{Header: header(upload, id, tolerated), Content: document(tolerated)})
	})
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	_, err = until(ctx, k, func(st *stage) (*apiv1.SupplyResponse, error) {
		return st.as("resident").Intake.Supply(ctx, &apiv1.SupplyRequest{RequestId: request, Application: id, Material: tolerated, Digest: put.GetFile().GetDigest()})
	})
	if err != nil {
		return fmt.Errorf("supply: %w", err)
	}
	k.facts.note(id, func(f *fact) { f.supplied = true; k.facts.supplied++ })
	return nil
}

// register is a draft as those see it who change one answer of it: a revision and a value.
type register struct {
	revision int64
	value    string
}

type (
	registerCall   struct{ save *register } // revision that it was made on, and the value; nil: a read
	registerAnswer struct {
		register
		stale bool
	}
)

// registerModel says what a draft does if one call happens after the other.
func registerModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return register{revision: 1} },
		Step: func(state, input, output any) (bool, any) {
			s, call, answer := state.(register), input.(registerCall), output.(registerAnswer)
			switch {
			case call.save == nil:
				return !answer.stale && answer.register == s, s
			case answer.stale:
				return call.save.revision != s.revision && answer.revision == s.revision, s
			default:
				s2 := register{revision: s.revision + 1, value: call.save.value}
				return call.save.revision == s.revision && answer.revision == s2.revision, s2
			}
		},
		DescribeOperation: func(input, output any) string {
			if save := input.(registerCall).save; save != nil {
				return fmt.Sprintf("save %+v: %+v", *save, output)
			}
			return fmt.Sprintf("read: %+v", output)
		},
	}
}

// register reads or saves, until there is an answer.
func (k *killed) register(ctx context.Context, id, path string, call registerCall) (registerAnswer, error) {
	if call.save == nil {
		return until(ctx, k, func(st *stage) (registerAnswer, error) {
			shown, err := st.as("resident").Intake.GetDraft(ctx, &apiv1.GetDraftRequest{Draft: id})
			d := shown.GetDraft()
			return registerAnswer{register: register{revision: d.GetRevision(), value: d.GetRecord().GetAnswers()[path].GetStringValue()}}, err
		})
	}
	request := uuid.NewString()
	saved, err := until(ctx, k, func(st *stage) (*apiv1.SaveDraftResponse, error) {
		return st.as("resident").Intake.SaveDraft(ctx, &apiv1.SaveDraftRequest{RequestId: request, Draft: id, ExpectedVersion: call.save.revision,
			Changes: map[string]*structpb.Value{path: structpb.NewStringValue(call.save.value)}})
	})
	if stale(err) {
		return registerAnswer{stale: true, register: register{revision: intake.Why(err).GetCurrentVersion()}}, nil
	}
	if err == nil {
		k.facts.note(id, func(f *fact) { f.revision = max(f.revision, saved.GetRevision()) })
	}
	return registerAnswer{register: register{revision: saved.GetRevision()}}, err
}

// linearizable returns an error unless a history can be put into an order.
func (k *killed) linearizable(history []porcupine.Operation) error {
	if result := porcupine.CheckOperationsTimeout(registerModel(), history, time.Minute); result != porcupine.Ok {
		var text strings.Builder
		slices.SortFunc(history, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
		for _, o := range history {
			fmt.Fprintf(&text, "%d %v-%v %s\n", o.ClientId, time.Duration(o.Call), time.Duration(o.Return), registerModel().DescribeOperation(o.Input, o.Output))
		}
		return fmt.Errorf("no order gives these answers (%s):\n%s", result, text.String())
	}
	k.histories++
	return nil
}

// What cannot have happened one call after the other is no order: a save that is lost, one that is there twice, a read that
// goes back.
func TestRegisterModel(t *testing.T) {
	t.Parallel()
	read := func(revision int64, value string) porcupine.Operation {
		return porcupine.Operation{Input: registerCall{}, Output: registerAnswer{register: register{revision, value}}}
	}
	save := func(on int64, value string, made int64, stale bool) porcupine.Operation {
		return porcupine.Operation{Input: registerCall{save: &register{on, value}}, Output: registerAnswer{register: register{revision: made}, stale: stale}}
	}
	for _, test := range []struct {
		name       string
		history    []porcupine.Operation
		concurrent bool
		want       bool
	}{
		{name: "one after the other", history: []porcupine.Operation{read(1, ""), save(1, "a", 2, false), read(2, "a"), save(1, "b", 2, true)}, want: true},
		{name: "at the same time", history: []porcupine.Operation{save(1, "a", 2, false), save(1, "b", 2, true), read(1, ""), read(2, "a")}, concurrent: true, want: true},
		{name: "a lost save", history: []porcupine.Operation{save(1, "a", 2, false), read(1, "")}},
		{name: "a save that is there twice", history: []porcupine.Operation{save(1, "a", 2, false), read(3, "a")}},
		{name: "two saves on one revision", history: []porcupine.Operation{save(1, "a", 2, false), save(1, "b", 2, false)}, concurrent: true},
		{name: "a read that goes back", history: []porcupine.Operation{save(1, "a", 2, false), read(2, "a"), read(1, "")}},
		{name: "refused as stale and not", history: []porcupine.Operation{save(1, "a", 1, true)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for i := range test.history {
				test.history[i].ClientId = i
				if test.history[i].Call, test.history[i].Return = int64(2*i), int64(2*i+1); test.concurrent {
					test.history[i].Call, test.history[i].Return = 0, 1
				}
			}
			if got := (&killed{}).linearizable(test.history) == nil; got != test.want {
				t.Errorf("an order: %t, want %t", got, test.want)
			}
		})
	}
}

// registers lets three clients read and save one draft at the same time, through all crashes, and holds that there is an
// order of what they did, each call between its beginning and its answer, that gives the same answers.
func (k *killed) registers(ctx context.Context) error {
	const path, clients, calls = "form.newborn.hospital", 3, 40
	request := uuid.NewString()
	created, err := until(ctx, k, func(st *stage) (*apiv1.CreateDraftResponse, error) {
		return st.as("resident").Intake.CreateDraft(ctx, &apiv1.CreateDraftRequest{RequestId: request, Bundles: []string{"newborn"}})
	})
	if err != nil {
		return fmt.Errorf("create register: %w", err)
	}
	id := created.GetDraft().GetDraft()
	k.facts.note(id, func(f *fact) { f.revision = 1 })
	begin := time.Now()
	histories := make([][]porcupine.Operation, clients)
	faults := make([]error, clients)
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			at := register{revision: 1}
			for n := range calls {
				call := registerCall{}
				if n%2 == 1 {
					call.save = &register{revision: at.revision, value: fmt.Sprintf("医院%d号%d", client, n)}
				}
				from := time.Since(begin)
				answer, err := k.register(ctx, id, path, call)
				if err != nil {
					faults[client] = err
					return
				}
				histories[client] = append(histories[client], porcupine.Operation{ClientId: client, Input: call, Call: int64(from), Output: answer, Return: int64(time.Since(begin))})
				at.revision = answer.revision
			}
		})
	}
	group.Wait()
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	return k.linearizable(slices.Concat(histories...))
}
