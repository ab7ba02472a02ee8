namespace Serve.Generators.Models;

/// <summary>One parameter of a method.</summary>
/// <param name="Name">Its name, unescaped.</param>
/// <param name="Type">Its type, fully qualified.</param>
/// <param name="Default">Its default value as C#; null when it has none.</param>
/// <param name="IsParams">Whether it takes the rest of the arguments.</param>
/// <param name="IsToken">Whether it is a cancellation token, which the callee supplies.</param>
internal sealed record ParameterModel(string Name, string Type, string? Default, bool IsParams, bool IsToken);
