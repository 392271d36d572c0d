package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// A running server makes the documents of what happens by itself.
func TestServer_MakesDocuments(t *testing.T) {
	t.Parallel()
	st := newStage(t, t.TempDir(), "2026-12-14", io.Discard)
	defer st.stop(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	filing, err := st.file(ctx, birth())
	if err != nil {
		t.Fatal(err)
	}
	if err := st.accept(ctx, filing, "newborn"); err != nil {
		t.Fatal(err)
	}
	var made []*apiv1.Document
	if _, err := filing.Until(ctx, func(*apiv1.Application) (bool, error) {
		made, err = filing.Documents(ctx)
		return len(made) > 0, err
	}); err != nil {
		t.Fatal(err)
	}
	notice := made[0]
	if notice.GetKind() != "ACCEPTANCE" || !strings.HasPrefix(notice.GetNumber(), "受理〔2026〕") {
		t.Fatalf("made %v", made)
	}
	sheet, err := filing.Document(ctx, notice.GetPdf().GetDigest())
	if err != nil || !bytes.HasPrefix(sheet, []byte("%PDF-")) {
		t.Errorf("the PDF begins with %.10q, %v", sheet, err)
	}
	page, err := filing.Document(ctx, notice.GetPage().GetDigest())
	if err != nil || !bytes.Contains(page, []byte("政务服务中心")) || !bytes.Contains(page, []byte("周雨桐")) {
		t.Errorf("the page says %.200q, %v", page, err)
	}
}
