package registry

import (
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// Command changes what is in force.
//
//sumtype:decl
type Command interface {
	// Stream is the stream that the command's events belong to.
	Stream() string
	isCommand()
}

// PublishLibrary publishes the shared libraries, whole.
type PublishLibrary struct{ Files map[string][]byte }

// PublishBundle publishes a version of a bundle, with the library in force.
type PublishBundle struct {
	Name   string // of the file, for findings
	Text   []byte
	Reason string
	// Expected is the number of the last version that was shown; 0: not compared, unless it comes of a draft.
	Expected int
	// Draft is the draft whose text it is, at a revision; empty: none.
	Draft         string
	DraftRevision int64
	Moving        registryv1.Moving // what it means for applications under way
}

// RollBackBundle publishes an earlier version once more, with the library that it had.
type RollBackBundle struct {
	Bundle   string
	Number   int
	Reason   string
	Expected int
	Moving   registryv1.Moving // what it means for applications under way
}

// ChooseMoving says what the last version of a bundle means for applications under way.
type ChooseMoving struct {
	Bundle string
	Number int // of the last version
	Moving registryv1.Moving
	Reason string
}

// ApproveProposal publishes a proposed version; the actor is the second person.
type ApproveProposal struct{ Proposal int }

// RejectProposal ends a proposal without publishing it.
type RejectProposal struct {
	Proposal int
	Reason   string
}

// PublishCalendar publishes the calendar of working days, whole.
type PublishCalendar struct {
	Name string
	Text []byte
}

// PushPlugin keeps a version of a plugin, whose file is the blob of the digest. Who gives it has read the manifest and
// verified the signature.
type PushPlugin struct {
	Manifest *pluginv1.Manifest
	Digest   string
	Size     int64
	Key      string // that has signed it; empty: none
}

// ActivatePlugin makes a pushed version of a plugin the one that answers. A version has one digest but in development, where
// the digest says which is meant.
type ActivatePlugin struct{ ID, Version, Digest, Reason string }

// RollBackPlugin takes up a version of a plugin that was active before.
type RollBackPlugin struct{ ID, Version, Reason string }

// ShadowPlugin lets a pushed version run beside the active one, without effects. No version: none does any more.
type ShadowPlugin struct{ ID, Version string }

// StopPlugin lets no version of a plugin answer.
type StopPlugin struct{ ID, Reason string }

// GrantPlugin says what a plugin may use: all of its capabilities.
type GrantPlugin struct {
	ID           string
	Capabilities []string
}

// TrustPluginKey lets a key sign plugins.
type TrustPluginKey struct {
	Key, Name            string
	Departments, Plugins []string
}

// RevokePluginKey lets a key sign plugins no more.
type RevokePluginKey struct {
	Key, Reason string
	// Stop lets what it has signed answer no more, also what is active.
	Stop bool
}

// ReserveNumbers takes the next N serial numbers.
type ReserveNumbers struct{ N uint64 }

// Stream implements [Command].
func (PublishLibrary) Stream() string { return StreamCatalog }

// Stream implements [Command].
func (PublishBundle) Stream() string { return StreamCatalog }

// Stream implements [Command].
func (RollBackBundle) Stream() string { return StreamCatalog }

// Stream implements [Command].
func (ChooseMoving) Stream() string { return StreamCatalog }

// Stream implements [Command].
func (ApproveProposal) Stream() string { return StreamCatalog }

// Stream implements [Command].
func (RejectProposal) Stream() string { return StreamCatalog }

// Stream implements [Command].
func (PublishCalendar) Stream() string { return StreamCalendar }

// Stream implements [Command].
func (PushPlugin) Stream() string { return StreamPlugins }

// Stream implements [Command].
func (ActivatePlugin) Stream() string { return StreamPlugins }

// Stream implements [Command].
func (RollBackPlugin) Stream() string { return StreamPlugins }

// Stream implements [Command].
func (ShadowPlugin) Stream() string { return StreamPlugins }

// Stream implements [Command].
func (StopPlugin) Stream() string { return StreamPlugins }

// Stream implements [Command].
func (GrantPlugin) Stream() string { return StreamPlugins }

// Stream implements [Command].
func (TrustPluginKey) Stream() string { return StreamPlugins }

// Stream implements [Command].
func (RevokePluginKey) Stream() string { return StreamPlugins }

// Stream implements [Command].
func (ReserveNumbers) Stream() string { return StreamNumbers }

func (PublishLibrary) isCommand()  {}
func (PublishBundle) isCommand()   {}
func (RollBackBundle) isCommand()  {}
func (ChooseMoving) isCommand()    {}
func (ApproveProposal) isCommand() {}
func (RejectProposal) isCommand()  {}
func (PublishCalendar) isCommand() {}
func (PushPlugin) isCommand()      {}
func (ActivatePlugin) isCommand()  {}
func (RollBackPlugin) isCommand()  {}
func (ShadowPlugin) isCommand()    {}
func (StopPlugin) isCommand()      {}
func (GrantPlugin) isCommand()     {}
func (TrustPluginKey) isCommand()  {}
func (RevokePluginKey) isCommand() {}
func (ReserveNumbers) isCommand()  {}
