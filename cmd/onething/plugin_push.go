package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	"github.com/siyiban/onething/proto/gen/onething/api/v1/apiv1connect"
)

// pushChunk is how much of a file goes into one message.
const pushChunk = 256 << 10

func newPluginPush() *cobra.Command {
	var r pluginRemote
	cmd := &cobra.Command{
		Use:   "push FILE…",
		Short: "Send plugins to a server, which keeps them until an operator activates them",
		Long: "push sends each file to a server, as a developer of its department or an operator. What no trusted key has signed for its\n" +
			"department is refused, and so is a version that is not above each that was ever active. A file that the server has already\n" +
			"is no fault. It exits with 1 if one is refused, and sends no further one.",
		Example: `  onething plugin push build/plugins/pension.wasm --as operator
  onething plugin push build/plugins/pension.wasm --format json --as developer-hrss`,
		Args: func(_ *cobra.Command, files []string) error {
			if len(files) == 0 {
				return errors.New("name a FILE to push")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			service, err := r.dial()
			if err != nil {
				return err
			}
			for _, file := range files {
				module, err := os.ReadFile(file) //nolint:gosec // the developer names the file
				if err != nil {
					return err
				}
				pushed, err := push(cmd, service, module)
				if err != nil {
					return fmt.Errorf("%s: %w", file, answered(err))
				}
				v := pushed.GetVersion()
				said := fmt.Sprintf("%s: %s %s, pushed%s; %s; digest %s", file, pushed.GetPlugin(), v.GetVersion(), already(pushed.GetPosition()), signedBy(v), v.GetDigest())
				if err := r.tell(cmd.OutOrStdout(), pushed, said); err != nil {
					return err
				}
			}
			return nil
		},
	}
	r.flags(cmd)
	return cmd
}

// push sends one file.
func push(cmd *cobra.Command, service apiv1connect.PluginServiceClient, module []byte) (*apiv1.PushPluginResponse, error) {
	stream, err := service.PushPlugin(cmd.Context())
	if err != nil {
		return nil, err
	}
	header := &apiv1.PushPluginRequest{Part: &apiv1.PushPluginRequest_Header{Header: &apiv1.PushPluginHeader{RequestId: uuid.NewString()}}}
	if err := stream.Send(header); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for part := range slices.Chunk(module, pushChunk) {
		// The end of the stream means that the server has refused it; the answer says why.
		if err := stream.Send(&apiv1.PushPluginRequest{Part: &apiv1.PushPluginRequest_Chunk{Chunk: part}}); err != nil {
			break
		}
	}
	return stream.CloseAndReceive()
}

// signedBy says who has signed a version.
func signedBy(v *apiv1.PluginVersion) string {
	switch signer := v.GetSigner(); {
	case signer == nil:
		return "not signed"
	case signer.GetRevoked():
		return "signed by " + signer.GetName() + " (revoked)"
	default:
		return "signed by " + signer.GetName()
	}
}
