using System.Text.Json;

namespace Serve.Runtime;

public sealed partial class MethodTable
{
    /// <inheritdoc/>
    public static partial MethodTable For(Type type, JsonSerializerOptions? json) => throw new NotImplementedException();

    /// <inheritdoc/>
    public partial IReadOnlyList<string> Names => throw new NotImplementedException();
}
