namespace Serve.Runtime.Methods;

/// <summary>A value as JSON in UTF-8: the result type of calls on behalf of another process.</summary>
internal sealed record JsonText(ReadOnlyMemory<byte> Utf8);
