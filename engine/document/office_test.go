package document_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/calendar"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/document"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/examples/holidays"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

const libraries = `library: sections
sections:
  - section: person
    name: { zh: 经营者 }
    about: PERSON
    fields:
      - { field: id_no, kind: CITIZEN_NUMBER, name: { zh: 身份证号码 }, required: true }
      - { field: name, kind: TEXT, name: { zh: 姓名 }, required: true }
---
library: departments
departments:
  - { department: market, name: { zh: 市场监督管理局 } }
  - { department: fire, name: { zh: 消防救援大队 } }
`

const shop = `bundle: shop
name: { zh: 开办餐饮店一件事 }
level: COUNTY
lead: market
basis: 国办发〔2022〕32号
applicant: [owner]
form: [{ section: person, as: owner }]
own:
  - { field: size, kind: INT, name: { zh: 经营面积 }, required: true }
eligibility:
  - { id: large, require: own.size < 5000, because: { zh: 经营面积未超过本县办理范围 }, remedy: { zh: 请向市级机关申请 }, basis: 某条例 第三条 }
materials:
  - { material: card, name: { zh: 身份证 }, source: [APPLICANT] }
  - { material: lease, name: { zh: 房屋租赁合同 }, source: [APPLICANT], promise: { verify: { by: market, working_days: 20 } } }
  - { material: plan, name: { zh: 平面布置图 }, class: SECONDARY, source: [APPLICANT], tolerate: { working_days: 3, then: SUSPEND, suspended: { working_days: 3 } } }
steps:
  - id: licence
    name: { zh: 食品经营许可 }
    department: market
    needs: { fields: [owner, own.size], materials: [card, lease, plan] }
    promised: { working_days: 5 }
    statutory: { working_days: 20 }
    result: { fields: [{ field: number, kind: TEXT, name: { zh: 许可证编号 }, required: true }, { field: from, kind: DATE, name: { zh: 发证日期 }, required: true }, { field: hot, kind: BOOL, name: { zh: 热食制售 } }], document: licence, valid: { years: 5 } }
    basis: 中华人民共和国食品安全法 第三十五条
  - id: safety
    name: { zh: 公众聚集场所消防安全检查 }
    department: fire
    needs: { fields: [own.size], materials: [lease] }
    promised: { working_days: 3 }
    statutory: { working_days: 10 }
    basis: 中华人民共和国消防法 第十五条
`

const sign = `bundle: sign
name: { zh: 设置户外招牌一件事 }
level: COUNTY
lead: market
applicant: [owner]
form: [{ section: person, as: owner }]
own:
  - { field: height, kind: INT, name: { zh: 招牌高度 }, required: true }
materials:
  - { material: photo, name: { zh: 现场照片 }, source: [APPLICANT] }
steps:
  - { id: permit, name: { zh: 户外招牌设置 }, department: market, needs: { fields: [owner, own.height], materials: [photo] }, promised: { working_days: 4 }, statutory: { working_days: 20 } }
`

func zone() *time.Location { return time.FixedZone("UTC+8", 8*3600) }

func setting() document.Setting {
	return document.Setting{Office: "沭阳县政务服务中心", Location: zone()}
}

// office takes commands for one application, as the engine does, and keeps its events with their personal parts.
type office struct {
	testing.TB
	catalog *catalog.Catalog
	world   application.World
	state   application.State
	events  []*applicationv1.Event
}

func newOffice(t testing.TB, bundles ...string) *office {
	t.Helper()
	files := fstest.MapFS{"bundles/shop/bundle.yaml": {Data: []byte(shop)}, "bundles/sign/bundle.yaml": {Data: []byte(sign)}}
	for i, text := range strings.Split(libraries, "---\n") {
		files["library/"+string(rune('a'+i))+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	c, found := catalog.Load(files)
	if err := found.Err(); err != nil {
		t.Fatal(found)
	}
	days, found := calendar.Parse(holidays.File, holidays.Source())
	if err := found.Err(); err != nil {
		t.Fatal(found)
	}
	o := &office{TB: t, catalog: c, state: application.State{ID: "a"}}
	o.world = application.World{Calendar: days, Place: "321323", Results: map[string]map[forms.Path]kind.Value{}}
	var selected []*catalog.Bundle
	for _, id := range bundles {
		selected = append(selected, c.Bundles[id])
	}
	var err error
	if o.world.Selection, err = catalog.Select(selected...); err != nil {
		t.Fatal(err)
	}
	o.on("2026-04-24 09:30")
	if o.world.Number, err = application.NewNumber("321323", kind.DateOf(o.world.Now), 7); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) on(day string) {
	now, err := time.ParseInLocation("2006-01-02 15:04", day, zone())
	if err != nil {
		o.Fatal(err)
	}
	o.world.Now = now
}

// do gives a command, which has to be taken.
func (o *office) do(role applicationv1.Role, department string, c application.Command) {
	o.Helper()
	o.world.Actor, o.world.Person = &applicationv1.Actor{Role: role, Department: department, Id: "staff-1"}, ""
	if role == applicationv1.Role_ROLE_APPLICANT {
		o.world.Actor, o.world.Person = &applicationv1.Actor{Role: role}, "digest-of-owner"
	}
	events, err := application.Decide(o.state, c, o.world)
	if err != nil {
		if refused, ok := errors.AsType[*refusal.Refusal](err); ok {
			o.Fatalf("%T: %v %+v", c, err, refused.Violations)
		}
		o.Fatalf("%T: %v", c, err)
	}
	o.take(events...)
}

func (o *office) take(events ...*applicationv1.Event) {
	for _, e := range events {
		if e.At == nil {
			e.At = timestamppb.New(o.world.Now)
		}
		o.state = application.Evolve(o.state, e)
		o.events = append(o.events, e)
		if r := e.GetPersonal().GetRecord(); r != nil {
			o.world.Record, _ = forms.Decode(r.GetAnswers(), o.world.Selection.Field)
		}
	}
}

func (o *office) record(answers map[string]any) forms.Record {
	o.Helper()
	given := map[string]*structpb.Value{}
	for path, v := range answers {
		given[path], _ = structpb.NewValue(v)
	}
	record, faults := forms.Decode(given, o.world.Selection.Field)
	if len(faults) > 0 {
		o.Fatal(faults)
	}
	return record
}

func (o *office) task(bundle, step string) string {
	o.Helper()
	t := o.state.TaskOf(bundle, step)
	if t == nil {
		o.Fatalf("no task of %s", step)
	}
	return t.Number
}

func (o *office) documents() []*document.Document {
	return document.All(o.events, o.world.Selection, setting())
}

// serve makes what there is to be made, and serves the last document of a kind.
func (o *office) serve(k document.Kind, way, receiver string) {
	o.Helper()
	number := ""
	for _, d := range o.documents() {
		if o.state.Document(d.Number) == nil {
			o.do(applicationv1.Role_ROLE_ENGINE, "", application.MakeDocuments{Documents: []application.MadeDocument{{Public: d.Public()}}})
		}
		if d.Kind == k {
			number = d.Number
		}
	}
	o.do(applicationv1.Role_ROLE_CLERK, "", application.ServeDocument{Number: number, Way: way, Receiver: receiver})
}

const (
	byApplicant = applicationv1.Role_ROLE_APPLICANT
	byClerk     = applicationv1.Role_ROLE_CLERK
	byOfficer   = applicationv1.Role_ROLE_OFFICER
)

func upload(material string) *applicationv1.MaterialFile {
	return &applicationv1.MaterialFile{Material: material, Name: "扫描件.pdf", Blob: strings.Repeat("0", 64), MediaType: "application/pdf", Size: 1}
}

// eventful is an application with two cases that meets whatever there is a document for.
func eventful(t testing.TB) *office {
	o := newOffice(t, "shop", "sign")
	promise := func(material, text string) *applicationv1.SignedPromise {
		return &applicationv1.SignedPromise{Material: material, Text: text, Digest: strings.Repeat("a1", 32), Signer: "digest-of-owner", At: timestamppb.New(o.world.Now)}
	}
	o.do(byApplicant, "", application.Submit{Record: o.record(map[string]any{"form.owner.id_no": "321323199001010014", "form.owner.name": "周某某",
		"own.shop.size": 120, "own.sign.height": 3}), Persons: map[string]string{"owner": "digest-of-owner"}, Documents: application.Documents{
		Files: []*applicationv1.MaterialFile{upload("own.shop.card"), upload("own.sign.photo")}, Tolerate: []string{"own.shop.plan"},
		Promises: []*applicationv1.SignedPromise{
			promise("own.shop.lease", "本人已知晓“房屋租赁合同”的证明义务、证明内容和不实承诺的法律责任。本人承诺所租房屋的租赁期限、地址与申请表一致，愿意承担不实承诺的法律责任，承诺是本人真实的意思表示。"),
			promise("", "本人申请容缺受理，承诺在规定期限内补交“平面布置图”；逾期未补交的，愿意承担终止办理等后果。")}}})
	o.on("2026-04-27 10:00")
	o.do(byClerk, "", application.NotifyCorrection{Items: []application.Item{
		{Bundle: "shop", Path: "own.shop.size", Text: "面积与不动产登记不一致，请核对"}, {Bundle: "sign", Path: "materials.photo", Text: "照片看不清招牌位置，请重新拍摄"}}})
	o.on("2026-04-28 16:00")
	o.do(byApplicant, "", application.Correct{Changes: o.record(map[string]any{"own.shop.size": 128}), Documents: application.Documents{Files: []*applicationv1.MaterialFile{upload("own.sign.photo")}}})
	o.on("2026-04-29 09:00")
	o.do(byClerk, "", application.Accept{Bundle: "shop", OverrideReason: "已电话核实"})
	o.do(byClerk, "", application.Refuse{Bundle: "sign", Reason: "拟设招牌的路段已列入禁止设置户外招牌的范围"})
	o.on("2026-04-30 11:00")
	o.do(byOfficer, "market", application.PauseTask{Task: o.task("shop", "licence"), Procedure: "INSPECTION", Days: 3, Reason: "需要到现场检验设施设备"})
	o.on("2026-05-07 11:00")
	o.do(byOfficer, "market", application.ResumeTask{Task: o.task("shop", "licence")})
	approval := func(days int, reason string) application.Approval {
		return application.Approval{Days: days, Approver: "head", Reason: reason}
	}
	o.do(byOfficer, "market", application.ExtendTask{Task: o.task("shop", "licence"), Approval: approval(5, "检验样品需要送省级机构复核")})
	o.do(byClerk, "", application.ExtendTolerance{Bundle: "shop", Material: "plan", Approval: approval(2, "设计单位更换，重新绘制需要时间")})
	o.do(byClerk, "", application.ExtendCase{Bundle: "shop", Approval: approval(10, "检验样品需要送省级机构复核")})
	o.do(byOfficer, "market", application.AskCorrection{Task: o.task("shop", "licence"), Reason: "现场检验后发现布局与申请时不同", Items: []application.Item{{Bundle: "shop", Path: "own.shop.size", Text: "请按现场检验的面积修改"}}})
	o.on("2026-05-08 09:00")
	o.do(byApplicant, "", application.Correct{Changes: o.record(map[string]any{"own.shop.size": 126})})
	o.do(byApplicant, "", application.Supply{Material: "own.shop.plan", File: upload("own.shop.plan")})
	o.do(byOfficer, "fire", application.DecideTask{Task: o.task("shop", "safety"), Reason: "疏散通道宽度不足 1.4 米，不符合消防技术标准"})
	o.do(byOfficer, "market", application.DecideTask{Task: o.task("shop", "licence"), Approve: true,
		Result: map[string]*structpb.Value{"number": structpb.NewStringValue("JY23213230012345"), "from": structpb.NewStringValue("2026-05-08"), "hot": structpb.NewBoolValue(true)}})
	o.on("2026-05-09 15:00")
	o.serve(document.Result, application.ServedDirectly, "周某某")
	o.serve(document.Tolerance, application.ServedElectronically, "")
	return o
}

// plain is an application with one case that lacks nothing.
func plain(t testing.TB) *office {
	o := newOffice(t, "sign")
	o.do(byApplicant, "", application.Submit{Record: o.record(map[string]any{"form.owner.id_no": "321323199001010014", "form.owner.name": "周某某", "own.sign.height": 3}),
		Persons: map[string]string{"owner": "digest-of-owner"}, Documents: application.Documents{Files: []*applicationv1.MaterialFile{upload("own.sign.photo")}}})
	o.do(byClerk, "", application.Accept{Bundle: "sign"})
	return o
}
