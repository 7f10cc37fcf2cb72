-- How a Stack of the Pulumi Kubernetes Operator is, from the conditions that it reports, for Argo CD.
local health = { status = "Progressing", message = "The operator has not looked at it yet." }
local status = obj.status
if obj.metadata.deletionTimestamp ~= nil then
  health.message = "It is being removed."
  return health
end
if status == nil or status.conditions == nil then
  return health
end
if status.observedGeneration ~= nil and status.observedGeneration ~= obj.metadata.generation then
  health.message = "The operator has not looked at its newest declaration yet."
  return health
end
local is = {}
for _, condition in ipairs(status.conditions) do
  if condition.status == "True" then
    is[condition.type] = condition
  end
end
if is.Stalled ~= nil then
  -- It waits for another commit, or another declaration.
  return { status = "Degraded", message = is.Stalled.message }
end
if is.Reconciling ~= nil then
  health.message = is.Reconciling.message
  local reason = is.Reconciling.reason
  -- It goes on trying, at ever longer intervals: whoever looks here has to know of the failure.
  if reason == "RetryingAfterFailure" or reason == "PreviewFailed" then
    health.status = "Degraded"
    if status.lastUpdate ~= nil and status.lastUpdate.message ~= nil and status.lastUpdate.message ~= "" then
      health.message = health.message .. ": " .. status.lastUpdate.message
    end
  end
  return health
end
if is.Ready ~= nil then
  return { status = "Healthy", message = is.Ready.message }
end
return health
