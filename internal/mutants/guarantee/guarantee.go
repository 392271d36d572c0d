// Package guarantee reads the list of what the engine guarantees.
package guarantee

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"
)

// Chapter is guarantees of one kind.
type Chapter struct {
	Chapter    string      `yaml:"chapter"`
	Guarantees []Guarantee `yaml:"guarantees"`
}

// Guarantee is a promise with what keeps it and what shows that.
type Guarantee struct {
	Promise   string `yaml:"promise"`
	Mechanism string `yaml:"mechanism"`
	// File holds Code once; with Without in its place the mechanism is gone.
	File    string `yaml:"file"`
	Code    string `yaml:"code"`
	Without string `yaml:"without"`
	// Test is a pattern of tests of Package; one of them fails without the mechanism.
	Package string `yaml:"package"`
	Test    string `yaml:"test"`
}

// Read reads a list. A key that is not known, or one that is missing, is an error.
func Read(file string) ([]Chapter, error) {
	text, err := os.ReadFile(file) //nolint:gosec // a file of the repository
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var chapters []Chapter
	if err := decoder.Decode(&chapters); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, c := range chapters {
		for _, g := range c.Guarantees {
			if g.Promise == "" || g.Mechanism == "" || g.File == "" || g.Code == "" || g.Package == "" || g.Test == "" || g.Code == g.Without {
				err = errors.Join(err, fmt.Errorf("%s: %q lacks something", file, g.Promise))
			}
		}
	}
	return chapters, err
}
