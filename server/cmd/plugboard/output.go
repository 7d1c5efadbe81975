package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framecsv"
)

// output is how a command that lists prints: table, json or csv.
type output string

func (o *output) register(flags *pflag.FlagSet) {
	flags.StringVarP((*string)(o), "output", "o", "table", "table, json or csv")
}

func (o output) check() error {
	switch o {
	case "table", "json", "csv":
		return nil
	}
	return misused("--output is table, json or csv, not %q", string(o))
}

// print writes a list: for json what the server answered, else its columns.
func (o output) print(w io.Writer, answer []byte, columns ...*frame.Field) error {
	var err error
	switch o {
	case "json":
		_, err = fmt.Fprintln(w, strings.TrimSpace(string(answer)))
	case "csv":
		err = framecsv.Write(w, frame.New("", columns...))
	default:
		err = writeTables(w, frame.Frames{frame.New("", columns...)})
	}
	if err != nil {
		return failed("print: %w", err)
	}
	return nil
}

// facts are what is known of one thing, printed as two columns.
type facts struct{ names, values []string }

func (f *facts) add(name string, value any) {
	if text := fmt.Sprint(value); text != "" {
		f.names, f.values = append(f.names, name), append(f.values, text)
	}
}

func (f *facts) columns() []*frame.Field {
	return []*frame.Field{frame.NewField("field", nil, f.names), frame.NewField("value", nil, f.values)}
}

// textColumn is a column of one text for each of a list.
func textColumn[T any](name string, list []T, text func(T) string) *frame.Field {
	cells := make([]string, len(list))
	for i, item := range list {
		cells[i] = text(item)
	}
	return frame.NewField(name, nil, cells)
}

// group makes a command that only holds others refuse names it does not know.
func group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(commands...)
	return cmd
}
