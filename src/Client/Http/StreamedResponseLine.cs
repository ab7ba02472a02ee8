using System.Text.Json;

namespace Serve.Http;

/// <summary>One line of a streamed answer: an item, the end, or what went wrong.</summary>
internal sealed record StreamedResponseLine<TItem>(TItem? Item, bool End, JsonElement? Error);
