package api

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connectproto"

	"github.com/siyiban/onething/diag"
	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/blob"
	"github.com/siyiban/onething/engine/bundledraft"
	"github.com/siyiban/onething/engine/catalog"
	"github.com/siyiban/onething/engine/commitlog"
	"github.com/siyiban/onething/engine/draft"
	"github.com/siyiban/onething/engine/follow"
	"github.com/siyiban/onething/engine/follow/notices"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/engine/registry"
	"github.com/siyiban/onething/engine/seal"
	"github.com/siyiban/onething/engine/view"
	"github.com/siyiban/onething/forms"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	formsv1 "github.com/siyiban/onething/proto/gen/onething/forms/v1"
)

// refused turns an error of the engine into one for the caller. It is the only place that does; what it does not know
// is internal, and its cause stays here.
func refused(err error) error {
	if already, ok := errors.AsType[*connect.Error](err); ok { // of what the caller sends, while it is read
		return already
	}
	if r, ok := errors.AsType[*refusal.Refusal](err); ok {
		return refusedCommand(r)
	}
	if e, ok := errors.AsType[*registry.NotInForceError](err); ok {
		return explained(connect.CodeNotFound, err, &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_NOT_FOUND, Text: words("没有这个事项，或目前未开放", "there is no such bundle, or it is not in force"),
			Violations: []*formsv1.Violation{{Path: "bundles", Code: "unknown_bundle", Bundle: e.Bundle, Text: words("没有这个事项", "no such bundle")}}})
	}
	if _, ok := errors.AsType[*catalog.ConflictError](err); ok {
		return fail(connect.CodeInvalidArgument, err, apiv1.Reason_REASON_INVALID, "所选事项不能合并申请，请分别办理", "these bundles cannot be applied for together")
	}
	if found, ok := errors.AsType[diag.List](err); ok {
		return refusedText(found)
	}
	if e, ok := errors.AsType[*draft.StaleError](err); ok {
		return explained(connect.CodeAborted, err, &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_STALE, CurrentVersion: e.Current,
			Text: words("草稿已在别处修改，请刷新后再试", "the draft was changed elsewhere; read it again")})
	}
	if e, ok := errors.AsType[*bundledraft.StaleError](err); ok {
		return explained(connect.CodeAborted, err, &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_STALE, CurrentVersion: e.Current,
			Text: words("草稿已由他人修改，请重新读取", "somebody else has saved the draft; read it again")})
	}
	for _, known := range sentinels {
		if errors.Is(err, known.err) {
			return fail(known.code, err, known.reason, known.zh, known.en)
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fail(connect.CodeInternal, err, apiv1.Reason_REASON_INTERNAL, "系统内部错误，请稍后再试", "internal error, please try again later")
}

// sentinels are the errors that need no detail of their own.
var sentinels = []struct { //nolint:gochecknoglobals // a table that nothing writes to
	err    error
	code   connect.Code
	reason apiv1.Reason
	zh, en string
}{
	{draft.ErrNotFound, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND, "没有这份草稿，或已过期、已提交", "there is no such draft, or it has expired or was submitted"},
	{draft.ErrRequestReused, connect.CodeAlreadyExists, apiv1.Reason_REASON_REQUEST_REUSED, "该请求编号已用于其他内容", "this request id was used for something else"},
	{draft.ErrTooLarge, connect.CodeResourceExhausted, apiv1.Reason_REASON_LIMIT, "草稿内容过大", "the draft is too large"},
	{draft.ErrInvalid, connect.CodeInvalidArgument, apiv1.Reason_REASON_INVALID, "翻页标记不正确", "the page token is not one of this list"},
	{bundledraft.ErrNotFound, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND, "没有这份草稿，或已发布、已删除", "there is no such draft, or it was published or discarded"},
	{bundledraft.ErrRequestReused, connect.CodeAlreadyExists, apiv1.Reason_REASON_REQUEST_REUSED, "该请求编号已用于其他内容", "this request id was used for something else"},
	{bundledraft.ErrTooLarge, connect.CodeResourceExhausted, apiv1.Reason_REASON_LIMIT, "草稿内容过大", "the draft is too large"},
	{bundledraft.ErrTooMany, connect.CodeResourceExhausted, apiv1.Reason_REASON_LIMIT, "草稿过多，请先清理", "there are too many drafts: discard some first"},
	{engine.ErrSearch, connect.CodeResourceExhausted, apiv1.Reason_REASON_LIMIT, "检查所需时间过长，请稍后再试，或使用命令行工具", "the search takes too long: try again later, or on the command line"},
	{engine.ErrSimulating, connect.CodeResourceExhausted, apiv1.Reason_REASON_LIMIT, "另一次试算正在进行，请稍后再试", "another simulation is under way; try again when it has ended"},
	{engine.ErrTooManyRules, connect.CodeResourceExhausted, apiv1.Reason_REASON_LIMIT, "规则过多，请使用命令行工具检查", "the bundle has too many rules to be searched here: use the command line"},
	{view.ErrInvalid, connect.CodeInvalidArgument, apiv1.Reason_REASON_INVALID, "翻页标记不正确", "the page token is not one of this list"},
	{notices.ErrToken, connect.CodeInvalidArgument, apiv1.Reason_REASON_INVALID, "翻页标记不正确", "the page token is not one of this list"},
	{notices.ErrNotFound, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND, "没有这条通知", "there is no such notice"},
	{follow.ErrNotParked, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND, "没有这条暂停的记录", "there is no such parked stream"},
	{notices.ErrSent, connect.CodeFailedPrecondition, apiv1.Reason_REASON_WRONG_STATE, "通知已送出", "the notice was sent"},
	{draft.ErrStopped, connect.CodeUnavailable, apiv1.Reason_REASON_STORE_STOPPED, "系统暂停接收，请稍后再试", "the store takes no writes at the moment"},
	{engine.ErrNoPlugins, connect.CodeFailedPrecondition, apiv1.Reason_REASON_WRONG_STATE, "本系统未启用插件", "this server runs no plugins"},
	{engine.ErrNotFound, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND, "没有找到，或您无权查看", "there is no such thing, or it is not yours to see"},
	{engine.ErrNoMaterial, connect.CodeInvalidArgument, apiv1.Reason_REASON_INVALID, "本次申请不需要这份材料", "this application does not ask for this material"},
	{engine.ErrNotOffered, connect.CodeFailedPrecondition, apiv1.Reason_REASON_PROMISE_REFUSED, "该材料不适用告知承诺或容缺受理", "neither promise nor tolerance is open for this material or applicant"},
	{engine.ErrOtherText, connect.CodeInvalidArgument, apiv1.Reason_REASON_PROMISE_REFUSED, "承诺文本与应签署的文本不一致", "the signed text is not the one that was shown"},
	{engine.ErrFileFormat, connect.CodeInvalidArgument, apiv1.Reason_REASON_FILE_REFUSED, "该材料不接受此格式的文件", "the material does not accept files of this format"},
	{engine.ErrFormat, connect.CodeInvalidArgument, apiv1.Reason_REASON_FILE_REFUSED, "文件内容与格式不符", "the content is not of the file's media type"},
	{engine.ErrEmpty, connect.CodeInvalidArgument, apiv1.Reason_REASON_FILE_REFUSED, "文件是空的", "the file is empty"},
	{blob.ErrNoSpace, connect.CodeUnavailable, apiv1.Reason_REASON_STORE_STOPPED, "系统暂停接收，请稍后再试", "the store takes no writes at the moment"}, // drafts' is the same
	{blob.ErrTooLarge, connect.CodeResourceExhausted, apiv1.Reason_REASON_FILE_REFUSED, "文件过大", "the file is too large"},
	{blob.ErrNotFound, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND, "没有这个文件", "there is no such file"},
	{blob.ErrInvalid, connect.CodeInvalidArgument, apiv1.Reason_REASON_INVALID, "文件标识不正确", "this is no digest of a file"},
	{seal.ErrNoKey, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND, "没有找到，或已按规定销毁", "there is no such thing, or it was destroyed"},
	{seal.ErrCorrupt, connect.CodeNotFound, apiv1.Reason_REASON_NOT_FOUND, "没有找到，或您无权查看", "there is no such thing, or it is not yours to see"},
	{commitlog.ErrRequestReused, connect.CodeAlreadyExists, apiv1.Reason_REASON_REQUEST_REUSED, "该请求编号已用于其他内容", "this request id was used for something else"},
	{commitlog.ErrConflict, connect.CodeAborted, apiv1.Reason_REASON_STALE, "数据已变化，请刷新后再试", "it was changed in the meantime; read it again"},
	{commitlog.ErrTooLarge, connect.CodeResourceExhausted, apiv1.Reason_REASON_LIMIT, "内容过大", "the content is too large"},
	{commitlog.ErrNoSpace, connect.CodeUnavailable, apiv1.Reason_REASON_STORE_STOPPED, "系统暂停接收，请稍后再试", "the store takes no writes at the moment"},
	{commitlog.ErrStopped, connect.CodeUnavailable, apiv1.Reason_REASON_STORE_STOPPED, "系统暂停接收，请稍后再试", "the store takes no writes at the moment"},
	{commitlog.ErrClosed, connect.CodeUnavailable, apiv1.Reason_REASON_STORE_STOPPED, "系统正在关闭，请稍后再试", "the server is shutting down"},
	{view.ErrBehind, connect.CodeUnavailable, apiv1.Reason_REASON_NOT_YET_VISIBLE, "数据尚在更新，请稍后再试", "the view has not come so far yet; try again"},
}

// refusedCommand is a command that was refused, with its violations and what to do.
func refusedCommand(r *refusal.Refusal) error {
	info := infoOf(r)
	return explained(codes[info.GetReason()], r, info)
}

// infoOf is why a command is refused, as a caller is told.
func infoOf(r *refusal.Refusal) *apiv1.ErrorInfo {
	info := &apiv1.ErrorInfo{Reason: apiv1.Reason(apiv1.Reason_value["REASON_"+string(r.Reason)]), Text: r.Text.Proto(), CurrentVersion: r.CurrentVersion}
	if r.Remedy.ZH != "" {
		info.Remedy = r.Remedy.Proto()
	}
	for _, v := range r.Violations {
		info.Violations = append(info.Violations, v.Proto())
	}
	return info
}

// codes are the Connect codes of the reasons for which a command is refused.
var codes = map[apiv1.Reason]connect.Code{ //nolint:gochecknoglobals // a table that nothing writes to
	apiv1.Reason_REASON_NOT_ALLOWED:       connect.CodePermissionDenied,
	apiv1.Reason_REASON_SECOND_PERSON:     connect.CodePermissionDenied,
	apiv1.Reason_REASON_VERSION_CHANGED:   connect.CodeFailedPrecondition,
	apiv1.Reason_REASON_INVALID:           connect.CodeInvalidArgument,
	apiv1.Reason_REASON_NOT_FOUND:         connect.CodeNotFound,
	apiv1.Reason_REASON_STALE:             connect.CodeAborted,
	apiv1.Reason_REASON_RECORD_INVALID:    connect.CodeInvalidArgument,
	apiv1.Reason_REASON_NOT_ELIGIBLE:      connect.CodeFailedPrecondition,
	apiv1.Reason_REASON_WRONG_STATE:       connect.CodeFailedPrecondition,
	apiv1.Reason_REASON_MATERIAL_MISSING:  connect.CodeFailedPrecondition,
	apiv1.Reason_REASON_FILE_REFUSED:      connect.CodeInvalidArgument,
	apiv1.Reason_REASON_CLAIMED:           connect.CodeFailedPrecondition,
	apiv1.Reason_REASON_FIELD_USED:        connect.CodeFailedPrecondition,
	apiv1.Reason_REASON_PROMISE_REFUSED:   connect.CodeFailedPrecondition,
	apiv1.Reason_REASON_TOLERANCE_REFUSED: connect.CodeFailedPrecondition,
	apiv1.Reason_REASON_LIMIT:             connect.CodeResourceExhausted,
}

// maxViolations is how many errors of a text one refusal tells: it travels in a header, and CheckBundle tells them all.
const maxViolations = 50

// refusedText is a text of the bundle language with errors in it, each with its line and column.
func refusedText(found diag.List) error {
	info := &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_INVALID, Text: words("内容有误，请按提示修改", "the text has errors; the violations say where")}
	for _, d := range found.Sorted() {
		if d.Severity != diag.Error || len(info.GetViolations()) == maxViolations {
			continue
		}
		text := d.Message
		if d.Hint != "" {
			text += ": " + d.Hint
		}
		info.Violations = append(info.Violations, &formsv1.Violation{Path: fmt.Sprintf("text:%d:%d", d.Span.Start.Line, d.Span.Start.Column), Code: d.Code, Text: words(text, text)})
	}
	return explained(connect.CodeInvalidArgument, found, info)
}

// explained is an error with a detail; the cause stays on the server.
func explained(code connect.Code, cause error, info *apiv1.ErrorInfo) error {
	if code == 0 {
		code = connect.CodeInternal
	}
	refused := connect.NewError(code, info.GetText().GetEn()).WithCause(cause)
	detail, err := connectproto.NewErrorDetail(info)
	if err != nil {
		return refused.WithCause(errors.Join(cause, err))
	}
	return refused.WithDetail(detail)
}

func words(zh, en string) *formsv1.Text { return forms.Text{ZH: zh, EN: en}.Proto() }
