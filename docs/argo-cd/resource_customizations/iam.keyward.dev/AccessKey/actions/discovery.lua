-- While its service account is inactive, nothing about a key can be changed.
local frozen = false
for _, condition in ipairs(obj.status and obj.status.conditions or {}) do
  frozen = frozen or condition.reason == "ServiceAccountInactive"
end
local inactive = obj.spec.state == "Inactive"
local issued = obj.status ~= nil and obj.status.token ~= nil

local actions = {}
actions["activate"] = {
  ["disabled"] = frozen or not inactive,
  ["iconClass"] = "fa fa-fw fa-play-circle",
  ["displayName"] = "Activate"
}
actions["deactivate"] = {
  ["disabled"] = frozen or inactive,
  ["iconClass"] = "fa fa-fw fa-pause-circle",
  ["displayName"] = "Deactivate"
}
actions["rotate"] = {
  ["disabled"] = frozen or inactive or not issued,
  ["iconClass"] = "fa fa-fw fa-redo",
  ["displayName"] = "Rotate"
}
return actions
