package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// pluginRemote is what the verbs share that ask a server about its plugins.
type pluginRemote struct {
	remote
	format string
}

// flags adds the flags to a verb.
func (r *pluginRemote) flags(cmd *cobra.Command) {
	r.remote.flags(cmd)
	cmd.Flags().StringVar(&r.format, "format", "text", "text, or json (one object of the API a line)")
}

// dial returns the service, as whoever signs in.
func (r *pluginRemote) dial() (apiv1connect.PluginServiceClient, error) {
	if err := oneOf(r.format, "text", "json"); err != nil {
		return nil, err
	}
	client, err := r.connect()
	if err != nil {
		return nil, err
	}
	return apiv1connect.NewPluginServiceClient(client), nil
}

// changed is what a server answers to a change of a plugin.
type changed interface {
	GetPlugin() *apiv1.Plugin
	GetPosition() uint64
}

// change gives a command on a plugin, and prints what has come of it: the plugin's id, and what says.
func (r *pluginRemote) change(cmd *cobra.Command, command func(context.Context, apiv1connect.PluginServiceClient) (changed, error), says func(*apiv1.Plugin) string) error {
	service, err := r.dial()
	if err != nil {
		return err
	}
	done, err := command(cmd.Context(), service)
	if err != nil {
		return answered(err)
	}
	return r.tell(cmd.OutOrStdout(), done.GetPlugin(), done.GetPlugin().GetPlugin()+": "+says(done.GetPlugin())+already(done.GetPosition()))
}

// answers says which version of a plugin answers.
func answers(p *apiv1.Plugin) string { return p.GetActive() + " answers" }

// tell prints what a server has answered, as an object in one line or as text.
func (r *pluginRemote) tell(out io.Writer, message proto.Message, text string) error {
	if r.format != "json" {
		_, err := io.WriteString(out, text+"\n")
		return err
	}
	object, err := protojson.Marshal(message)
	if err != nil {
		return err
	}
	var line bytes.Buffer
	if err := json.Compact(&line, object); err != nil { // the blanks of protojson are not the same each time
		return err
	}
	line.WriteByte('\n')
	_, err = line.WriteTo(out)
	return err
}

// pages calls next with the token of each part of a list, until there is none.
func pages(next func(*apiv1.Page) (string, error)) error {
	for token, more := "", true; more; more = token != "" {
		var err error
		if token, err = next(&apiv1.Page{Token: token}); err != nil {
			return answered(err)
		}
	}
	return nil
}

// moment is a time as people of the office read it.
func moment(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	return t.AsTime().In(officeZone()).Format("2006-01-02 15:04")
}

// orDash is what stands in a table where there may be nothing.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// already says that a command has changed nothing.
func already(position uint64) string {
	if position == 0 {
		return " already"
	}
	return ""
}

// listOr joins names, or says what there is without any.
func listOr(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return strings.Join(names, ", ")
}
