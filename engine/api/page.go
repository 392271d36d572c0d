package api

import (
	"encoding/base64"
	"strconv"
	"strings"

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
			return 0, 0, "", badToken(err)
		}
	}
	from = min(from, n)
	to = min(from+size, n)
	if to < n {
		next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	return from, to, next, nil
}

// across pages through n lists as if they were one, the first one first: those of an enterprise and of the person who acts
// for it. The token says in which list the next part begins, and where.
func across[T any](n int, p *apiv1.Page, read func(list, size int, token string) ([]T, string, error)) ([]T, string, error) {
	size, list, token := pageSize(p), 0, ""
	if given := p.GetToken(); given != "" {
		number, within, _ := strings.Cut(given, ".")
		var err error
		if list, err = strconv.Atoi(number); err != nil || list < 0 || list >= n {
			return nil, "", badToken(err)
		}
		token = within
	}
	var all []T
	for {
		part, next, err := read(list, size-len(all), token)
		if err != nil {
			return nil, "", err
		}
		all = append(all, part...)
		switch {
		case next != "":
			return all, strconv.Itoa(list) + "." + next, nil
		case list == n-1:
			return all, "", nil
		case len(all) == size:
			return all, strconv.Itoa(list+1) + ".", nil
		}
		list, token = list+1, ""
	}
}

func badToken(cause error) error {
	return fail(connect.CodeInvalidArgument, cause, apiv1.Reason_REASON_INVALID, "翻页标记不正确", "the page token is not one of this list")
}
