-- The status of an Account (https://github.com/keyward-dev/keyward) follows kstatus: Ready, with Reconciling or
-- Stalled beside it only while they are True, and status.observedGeneration, which is -1 until the controller has seen it.
-- https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
local status = obj.status or {}
if status.observedGeneration == nil or status.observedGeneration < 0 then
  return {status = "Progressing", message = "Waiting for Account"}
end
if status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "Waiting for the change of the spec to be observed"}
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  if condition.status == "True" then
    conditions[condition.type] = condition
  end
end

if conditions.Reconciling ~= nil then
  return {status = "Progressing", message = conditions.Reconciling.message}
end
if conditions.Stalled ~= nil then
  return {status = "Degraded", message = conditions.Stalled.message}
end
if conditions.Ready == nil then
  return {status = "Progressing", message = "Waiting for Account"}
end
return {status = "Healthy", message = conditions.Ready.message}
