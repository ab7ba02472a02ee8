namespace Serve.Generators.Models;

/// <summary>One parameter of a method.</summary>
/// <param name="Name">Its name, unescaped.</param>
/// <param name="Type">Its type, fully qualified.</param>
/// <param name="BareType">The same without a question mark of its own, if it is a reference type.</param>
/// <param name="Default">Its default value as C#; null when it has none.</param>
/// <param name="IsParams">Whether it takes the rest of the arguments.</param>
/// <param name="Source">Who gives it its value.</param>
/// <param name="Fit">What may stand for its type.</param>
internal sealed record MethodParameterModel(
    string Name, string Type, string BareType, string? Default, bool IsParams, ParameterValueSource Source, ParameterTypeKind Fit)
{
    public bool IsSupplied => Source != ParameterValueSource.Caller;

    public bool IsOptional => Default is not null || IsParams;
}
