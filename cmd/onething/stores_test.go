package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// A store of every format that a release has written is opened by this program, with what was filed and drafted in it.
// testdata/stores/<format>.tar.gz are such stores; `-update` adds one of the present format where there is none.
func TestStores_OfEveryRelease(t *testing.T) {
	t.Parallel()
	const folder = "testdata/stores"
	made := filepath.Join(t.TempDir(), "made")
	if *update {
		st := newStage(t, made, "2026-12-28", io.Discard)
		_, err := st.file(t.Context(), birth())
		if err == nil {
			_, err = st.as("resident2").Begin(t.Context(), "newborn")
		}
		st.stop(t)
		if err != nil {
			t.Fatal(err)
		}
		format, err := os.ReadFile(filepath.Join(made, "data", "format"))
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(folder, strings.TrimPrefix(strings.TrimSpace(string(format)), "onething store ")+".tar.gz")
		if _, err := os.Stat(name); err != nil {
			if err := errors.Join(os.MkdirAll(folder, 0o700), pack(made, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	stores, err := filepath.Glob(filepath.Join(folder, "*.tar.gz"))
	if err != nil || len(stores) == 0 {
		t.Fatal("there is no store", err)
	}
	for _, name := range stores {
		t.Run(filepath.Base(name), func(t *testing.T) {
			dir := t.TempDir()
			if err := unpack(name, dir); err != nil {
				t.Fatal(err)
			}
			st := newStage(t, dir, "2026-12-29", io.Discard)
			filed, err := st.as("resident").Intake.ListApplications(t.Context(), &apiv1.ListApplicationsRequest{})
			if err != nil || len(filed.GetApplications()) != 1 {
				t.Fatalf("filed: %v, %v", filed, err)
			}
			a, err := st.as("resident").Intake.GetApplication(t.Context(), &apiv1.GetApplicationRequest{Application: filed.GetApplications()[0].GetApplication()})
			if err != nil || a.GetApplication().GetRecord().GetAnswers()["form.mother.name"].GetStringValue() != "周雨桐" {
				t.Errorf("what was filed: %v, %v", a, err)
			}
			drafts, err := st.as("resident2").Intake.ListDrafts(t.Context(), &apiv1.ListDraftsRequest{})
			if err != nil || len(drafts.GetDrafts()) != 1 {
				t.Errorf("drafts: %v, %v", drafts, err)
			}
			st.stop(t)
			if out, err := exec.CommandContext(t.Context(), "onething", "log", "verify", filepath.Join(dir, "data")).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// pack puts a folder into an archive.
func pack(folder, name string) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	zipped := gzip.NewWriter(file)
	archive := tar.NewWriter(zipped)
	return errors.Join(archive.AddFS(os.DirFS(folder)), archive.Close(), zipped.Close(), file.Close())
}

// unpack puts an archive into a folder.
func unpack(name, folder string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	archive := tar.NewReader(zipped)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		to := filepath.Join(folder, filepath.FromSlash(header.Name))
		if header.Typeflag == tar.TypeDir {
			if err := os.MkdirAll(to, 0o700); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, archive)
		if err := errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
}
