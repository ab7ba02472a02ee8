namespace Serve.Runtime.Methods;

/// <summary>Value as UTF-8 JSON: the result type of calls on behalf of another process.</summary>
/// <param name="Utf8">JSON; empty for a method that returns nothing.</param>
internal sealed record JsonResultText(ReadOnlyMemory<byte> Utf8)
{
    public static JsonResultText Nothing { get; } = new(default(ReadOnlyMemory<byte>));
}
