package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/siyiban/onething/diag"
)

// configFlag names the file that may say what the other flags say.
const configFlag = "config"

// configure sets each flag that was not given: from its environment variable, else from the configuration file. What is
// wrong with the file is a [diag.List].
func configure(flags *pflag.FlagSet) error {
	if err := fromEnvironment(flags); err != nil {
		return err
	}
	name, err := flags.GetString(configFlag)
	if err != nil || name == "" {
		return err
	}
	text, err := os.ReadFile(name) //nolint:gosec // the operator names it
	if err != nil {
		return fmt.Errorf("--%s: %w", configFlag, err)
	}
	return fromFile(flags, name, text)
}

// fromEnvironment sets each flag that was not given from its environment variable: --dev-issuer from
// ONETHING_DEV_ISSUER.
func fromEnvironment(flags *pflag.FlagSet) error {
	var faults []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "ONETHING_" + strings.ToUpper(configKey(f))
		if value, ok := os.LookupEnv(name); ok && !f.Changed && f.Name != "help" {
			if err := flags.Set(f.Name, value); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", name, err))
			}
		}
	})
	return errors.Join(faults...)
}

// configKey is the key of a flag in the configuration file: dev_issuer for --dev-issuer.
func configKey(f *pflag.Flag) string { return strings.ReplaceAll(f.Name, "-", "_") }

// configKeys are the flags that a configuration file may set, by their keys.
func configKeys(flags *pflag.FlagSet) map[string]*pflag.Flag {
	keys := map[string]*pflag.Flag{}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && f.Name != configFlag {
			keys[configKey(f)] = f
		}
	})
	return keys
}

// fromFile sets each flag that neither the command line nor the environment has set from the text of a configuration
// file. All that is wrong is found at once.
func fromFile(flags *pflag.FlagSet, name string, text []byte) error {
	var file structpb.Struct
	source, found := diag.ReadYAML(name, text, &file, nil)
	if err := found.Err(); err != nil {
		return err
	}
	keys := configKeys(flags)
	for key := range file.GetFields() {
		at := source.At(&file, key)
		fault := func(span diag.Span, code, message, hint string) {
			found = append(found, diag.Diagnostic{Span: span, Severity: diag.Error, Code: code, Path: key, Message: message, Hint: hint})
		}
		f, known := keys[key]
		if !known {
			fault(source.Key(&file, key), "yaml-unknown-key", fmt.Sprintf("there is no key `%s` here", key), meantKey(key, keys))
			continue
		}
		values, err := configValues(source, &file, key, f.Value.Type() == "stringSlice")
		if err != nil {
			fault(at, "config-value", err.Error(), "")
			continue
		}
		if f.Changed {
			continue
		}
		if into, ok := f.Value.(pflag.SliceValue); ok {
			f.Changed = true
			err = into.Replace(values)
		} else {
			err = flags.Set(f.Name, values[0])
		}
		if err != nil {
			fault(at, "config-value", fmt.Sprintf("`%s` is none: %s", source.Text(at), f.Usage), configHint(f, values[0]))
		}
	}
	return found.Sorted().Err()
}

// meantKey says which key was most likely meant.
func meantKey(key string, keys map[string]*pflag.Flag) string {
	var names []string
	for name := range keys {
		names = append(names, name)
	}
	slices.Sort(names)
	plain := strings.ReplaceAll(strings.ToLower(strings.TrimLeft(key, "-")), "-", "_")
	if keys[plain] != nil {
		return fmt.Sprintf("write `%s`", plain)
	}
	if near := diag.Nearest(plain, names); near != "" {
		return fmt.Sprintf("did you mean `%s`?", near)
	}
	return "a key is a flag of `onething serve` with _ for -: " + strings.Join(names, ", ")
}

// configValues are the texts of a key: one, or where several may stand those of a list.
func configValues(source *diag.Source, file *structpb.Struct, key string, several bool) ([]string, error) {
	scalar := func(v *structpb.Value, text string) (string, error) {
		switch v.GetKind().(type) {
		case *structpb.Value_StringValue:
			return v.GetStringValue(), nil
		case *structpb.Value_NumberValue, *structpb.Value_BoolValue: // as it is written: a place is no number
			return text, nil
		case *structpb.Value_NullValue:
			return "", fmt.Errorf("`%s` has no value", key)
		default:
			return "", fmt.Errorf("`%s` takes one value", key)
		}
	}
	value := file.GetFields()[key]
	list := value.GetListValue()
	if list == nil || !several {
		text, err := scalar(value, source.Scalar(file, key, key).Text)
		return []string{text}, err
	}
	values := []string{}
	for i, element := range list.GetValues() {
		text, err := scalar(element, source.Text(source.Element(file, key, i)))
		if err != nil {
			return nil, err
		}
		values = append(values, text)
	}
	return values, nil
}

// configHint says what is to be written for a flag.
func configHint(f *pflag.Flag, value string) string {
	if f.Value.Type() != "bool" {
		return ""
	}
	if word, ok := diag.Truth(value); ok {
		return fmt.Sprintf("write `%s`", word)
	}
	return "write `true` or `false`"
}
