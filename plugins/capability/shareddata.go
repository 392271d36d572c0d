package capability

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Bounds of a look-up.
const (
	maxLookupBytes  = 4 << 10
	maxKeyBytes     = 200
	maxPurposeRunes = 100
)

// Source answers look-ups of shared data.
type Source interface {
	// LookUp returns the entry of the source under the key, and nil without an error if there is none. An error means
	// that the source is silent: it could not answer, or there is no such source. It must hold no personal data, and
	// LookUp must return when ctx is done.
	LookUp(ctx context.Context, source, key string) (*Entry, error)
}

// Entry is one entry of a source.
type Entry struct {
	// Values of the entry, by name.
	Values map[string]*pluginv1.Value
}

// Lookup records one look-up that a call has made. Its key is personal data: it belongs sealed on the record, or under
// a digest of it, and in no log.
type Lookup struct {
	// Source is the id of the source.
	Source string
	// Key is what was looked up.
	Key string
	// Purpose is what the person whose data it is may be shown.
	Purpose string
	// Answered is false if the source was silent, Found if it had an entry.
	Answered, Found bool
	// Refused says why the look-up was not made: not_granted or bad_request. It is empty if it was made. Of a bad
	// request nothing else is kept: it can hold anything.
	Refused string
}

// lookUp answers one look-up and records it.
func (c *Call) lookUp(ctx context.Context, request *pluginv1.SharedDataRequest) *pluginv1.SharedDataResponse {
	if !sensible(request) {
		return c.refuseLookup(RefusedBadRequest)
	}
	record := Lookup{Source: request.GetSource(), Key: request.GetKey(), Purpose: request.GetPurpose()}
	if !c.may(SharedData) || !slices.Contains(c.manifest.GetSharedDataSources(), request.GetSource()) {
		record.Refused = RefusedNotGranted
		c.lookups = append(c.lookups, record)
		return &pluginv1.SharedDataResponse{Refused: RefusedNotGranted}
	}
	response := new(pluginv1.SharedDataResponse)
	if source := c.set.config.SharedData; source != nil {
		entry, err := source.LookUp(ctx, request.GetSource(), request.GetKey())
		if err != nil {
			c.set.config.Logger.WarnContext(ctx, "shared data source is silent", "source", request.GetSource(), "error", err)
		} else {
			response.Answered = true
			if entry != nil {
				response.Found, response.Values = true, entry.Values
			}
		}
	}
	record.Answered, record.Found = response.GetAnswered(), response.GetFound()
	c.lookups = append(c.lookups, record)
	return response
}

func (c *Call) refuseLookup(why string) *pluginv1.SharedDataResponse {
	c.lookups = append(c.lookups, Lookup{Refused: why})
	return &pluginv1.SharedDataResponse{Refused: why}
}

// sensible reports whether a request can be passed on and recorded.
func sensible(request *pluginv1.SharedDataRequest) bool {
	for _, text := range []string{request.GetSource(), request.GetKey(), request.GetPurpose()} {
		if strings.TrimSpace(text) == "" || !plain(text) {
			return false
		}
	}
	return len(request.GetSource()) <= maxKeyBytes && len(request.GetKey()) <= maxKeyBytes &&
		utf8.RuneCountInString(request.GetPurpose()) <= maxPurposeRunes
}

// plain reports whether a text is UTF-8 without control characters.
func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
