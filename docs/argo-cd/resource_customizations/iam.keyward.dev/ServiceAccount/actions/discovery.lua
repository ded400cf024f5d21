local inactive = obj.spec.state == "Inactive"

local actions = {}
actions["activate"] = {
  ["disabled"] = not inactive,
  ["iconClass"] = "fa fa-fw fa-play-circle",
  ["displayName"] = "Activate"
}
actions["deactivate"] = {
  ["disabled"] = inactive,
  ["iconClass"] = "fa fa-fw fa-pause-circle",
  ["displayName"] = "Deactivate"
}
return actions
