package intake

import (
	"context"
	"errors"

	"github.com/google/uuid"

	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
)

// Tasks returns the open tasks of the caller's department, page by page, the nearest promised date first; those that a
// plugin is at are left out. They are no older than a position of the log; 0 is as it is now.
func (c *Client) Tasks(ctx context.Context, position uint64) ([]*apiv1.Task, error) {
	var all []*apiv1.Task
	page := &apiv1.Page{}
	for {
		answer, err := c.Task.ListTasks(ctx, &apiv1.ListTasksRequest{Page: page, AtLeastPosition: position})
		if err != nil {
			return nil, explain("list tasks", err)
		}
		all = append(all, answer.GetTasks()...)
		if page.Token = answer.GetNextToken(); page.Token == "" {
			return all, nil
		}
	}
}

// Approve claims a task, reads what its step needs, and approves it with a result. It serves officers and departments'
// own systems alike.
func (c *Client) Approve(ctx context.Context, task *apiv1.Task, result Answers) (*apiv1.GetTaskResponse, error) {
	values, err := result.values()
	if err != nil {
		return nil, err
	}
	claimed, err := c.Task.ClaimTask(ctx, &apiv1.ClaimTaskRequest{RequestId: uuid.NewString(), Task: task.GetTask(), ExpectedVersion: task.GetVersion()})
	if err != nil {
		return nil, explain("claim "+task.GetStep(), err)
	}
	shown, err := c.Task.GetTask(ctx, &apiv1.GetTaskRequest{Task: task.GetTask(), AtLeastPosition: claimed.GetPosition()})
	if err != nil {
		return nil, explain("read "+task.GetStep(), err)
	}
	for _, field := range shown.GetResult() {
		if field.GetRequired() && values[field.GetField()] == nil {
			return nil, errors.New("approve " + task.GetStep() + ": the result lacks " + field.GetField())
		}
	}
	_, err = c.Task.DecideTask(ctx, &apiv1.DecideTaskRequest{RequestId: uuid.NewString(), Task: task.GetTask(), ExpectedVersion: claimed.GetVersion(), Approve: true, Result: values})
	return shown, explain("approve "+task.GetStep(), err)
}
