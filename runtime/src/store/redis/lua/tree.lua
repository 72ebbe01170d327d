-- A token and its descendants, each once, the root first. The root need not be registered.
local function tree(root)
    local found, seen, at = { root }, { [root] = true }, 1
    while found[at] do
        for _, child in ipairs(call('SMEMBERS', prefix .. 'tc:' .. found[at])) do
            if not seen[child] then
                seen[child] = true
                found[#found + 1] = child
            end
        end
        at = at + 1
    end
    return found
end
