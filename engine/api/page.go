package api

import (
	"encoding/base64"
	"strconv"

	"connectrpc.com/connect/v2"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// defaultPage is how many entries a list has if the caller does not say.
const defaultPage = 50

// window returns which part of a list of n a page asks for, and the token of the next part. It serves lists that are
// held in memory; a view's lists have tokens of their own.
func window(p *apiv1.Page, n int) (from, to int, next string, err error) {
	size := int(p.GetSize())
	if size == 0 {
		size = defaultPage
	}
	if token := p.GetToken(); token != "" {
		text, decodeErr := base64.RawURLEncoding.DecodeString(token)
		if from, err = strconv.Atoi(string(text)); decodeErr != nil || err != nil || from < 0 {
			return 0, 0, "", fail(connect.CodeInvalidArgument, err, apiv1.Reason_REASON_INVALID, "翻页标记不正确", "the page token is not one of this list")
		}
	}
	from = min(from, n)
	to = min(from+size, n)
	if to < n {
		next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return from, to, next, nil
}
