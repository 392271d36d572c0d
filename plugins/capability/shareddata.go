// Package capability is what a plugin can reach outside its call, each capability in a file of its own: granted by the
// operator, bounded, and recorded look-up by look-up.
package capability

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Bounds of a look-up.
const (
	maxKeyBytes     = 200
	maxPurposeRunes = 100
)

// Refusals, as SharedDataResponse.refused carries them.
const (
	RefusedNotGranted = "not_granted"
	RefusedBadRequest = "bad_request"
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

// Lookup records one look-up that a call has made.
type Lookup struct {
	// Source is the id of the source.
	Source string
	// KeyDigest is the key under HMAC-SHA256, in hex: the same key has the same digest, and nobody without the host's
	// digest key can find out the key by trying.
	KeyDigest string
	// Purpose is what the person whose data it is may be shown.
	Purpose string
	// Answered is false if the source was silent, Found if it had an entry.
	Answered, Found bool
	// Refused says why the look-up was not made: not_granted or bad_request. It is empty if it was made. Of a bad
	// request source and purpose are not kept: they can hold anything.
	Refused string
}

// SharedData is the capability `shared_data` for one call.
type SharedData struct {
	// Source answers; nil is silent.
	Source Source
	// Granted are the ids of the sources that the plugin may use.
	Granted []string
	// DigestKey is the key of the digests in the records.
	DigestKey []byte
	// Logger is told of sources that are silent.
	Logger *slog.Logger

	lookups []Lookup
}

// Lookups returns the record of the call.
func (s *SharedData) Lookups() []Lookup { return s.lookups }

// LookUp answers one look-up and records it.
func (s *SharedData) LookUp(ctx context.Context, request *pluginv1.SharedDataRequest) *pluginv1.SharedDataResponse {
	if !sensible(request) {
		return s.refuse(Lookup{}, RefusedBadRequest)
	}
	mac := hmac.New(sha256.New, s.DigestKey)
	mac.Write([]byte(request.GetSource() + "\x00" + request.GetKey()))
	record := Lookup{Source: request.GetSource(), KeyDigest: hex.EncodeToString(mac.Sum(nil)), Purpose: request.GetPurpose()}
	if !slices.Contains(s.Granted, request.GetSource()) {
		return s.refuse(record, RefusedNotGranted)
	}
	response := new(pluginv1.SharedDataResponse)
	if s.Source != nil {
		entry, err := s.Source.LookUp(ctx, request.GetSource(), request.GetKey())
		if err != nil {
			s.Logger.WarnContext(ctx, "shared data source is silent", "source", request.GetSource(), "error", err)
		} else {
			response.Answered = true
			if entry != nil {
				response.Found, response.Values = true, entry.Values
			}
		}
	}
	record.Answered, record.Found = response.GetAnswered(), response.GetFound()
	s.lookups = append(s.lookups, record)
	return response
}

func (s *SharedData) refuse(record Lookup, why string) *pluginv1.SharedDataResponse {
	record.Refused = why
	s.lookups = append(s.lookups, record)
	return &pluginv1.SharedDataResponse{Refused: why}
}

// sensible reports whether a request can be passed on and recorded.
func sensible(request *pluginv1.SharedDataRequest) bool {
	for _, text := range []string{request.GetSource(), request.GetKey(), request.GetPurpose()} {
		if strings.TrimSpace(text) == "" || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			return false
		}
	}
	return len(request.GetSource()) <= maxKeyBytes && len(request.GetKey()) <= maxKeyBytes &&
		utf8.RuneCountInString(request.GetPurpose()) <= maxPurposeRunes
}
