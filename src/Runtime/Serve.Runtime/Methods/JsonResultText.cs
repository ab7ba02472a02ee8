namespace Serve.Runtime.Methods;

/// <summary>A value as JSON in UTF-8: the result type of calls on behalf of another process.</summary>
/// <param name="Utf8">Empty for a method that returns nothing.</param>
internal sealed record JsonResultText(ReadOnlyMemory<byte> Utf8)
{
    public static JsonResultText Nothing { get; } = new(default(ReadOnlyMemory<byte>));
}
