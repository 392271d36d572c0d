// Package observe shows operators what a server does and how it stands: metrics for Prometheus, spans for OpenTelemetry,
// and checks that say why it is not ready.
//
// Nothing here holds a person's value, the number or id of an application, or a digest. Labels have few values: methods of
// the schema, codes, outcomes, names of followers, ids of plugins and departments.
package observe
