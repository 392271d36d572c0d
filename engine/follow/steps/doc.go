// Package steps runs departments' plugins: a commit makes a check awaited, a task open or a result due; the follower
// builds the request, with nothing but what the step needs, calls the plugin, and gives its answer as a command.
//
//   - The id of a command is made of case or task, step, hook and attempt, so a repeat changes nothing. The command names
//     the revision of the record that the plugin saw.
//   - An answer that does not fit the step is a failure, never consent: a result of another kind, a field that the step
//     does not have, a missing one that an approval needs.
//   - A failure is recorded, and the next attempt follows after a back-off. After [MaxAttempts] the follower gives up,
//     and the check or the task is a person's. It never decides anything itself.
//   - Each plugin has workers of its own, so a slow one delays no other.
//   - Of a forgotten application nothing is done.
package steps
