namespace Serve.Generators.Models;

/// <summary>A method of a deployment or an actor, or a remote function.</summary>
/// <param name="Name">Its name, unescaped.</param>
/// <param name="Shape">The kind of its return type.</param>
/// <param name="IsValueTask">Whether an asynchronous method returns a <c>ValueTask</c> rather than a <c>Task</c>.</param>
/// <param name="Result">The type of its result or of its items, fully qualified; null if it has no result.</param>
/// <param name="Parameters">Its parameters, including those that the caller does not supply.</param>
/// <param name="IsBatched">Whether the replica batches its calls, so that callers never invoke it themselves.</param>
internal sealed record CallableMethodModel(string Name, MethodReturnShape Shape, bool IsValueTask, string? Result, EquatableArray<MethodParameterModel> Parameters, bool IsBatched = false)
{
    public bool IsStream => Shape is MethodReturnShape.Stream or MethodReturnShape.TaskOfStream;

    public bool IsAsync => Shape is not (MethodReturnShape.Nothing or MethodReturnShape.Value);

    public bool TakesToken => Parameters.Any(parameter => parameter.Source == ParameterValueSource.Token);

    public IEnumerable<MethodParameterModel> Arguments => Parameters.Where(parameter => !parameter.IsSupplied);
}

/// <summary>The kind of a method's return type.</summary>
internal enum MethodReturnShape
{
    Nothing,
    Value,
    Task,
    TaskOfValue,
    Stream,
    TaskOfStream,
}

/// <summary>A parameter of a method.</summary>
/// <param name="Name">Its name, unescaped.</param>
/// <param name="Type">Its type, fully qualified.</param>
/// <param name="BareType">The same without nullable annotation, if it is a reference type.</param>
/// <param name="Default">Its default value as C#; null if it has none.</param>
/// <param name="IsParams">Whether it is a <c>params</c> parameter.</param>
/// <param name="Source">Where its value comes from.</param>
/// <param name="Fit">How references can be passed for it.</param>
internal sealed record MethodParameterModel(
    string Name, string Type, string BareType, string? Default, bool IsParams, ParameterValueSource Source, ParameterTypeKind Fit)
{
    public bool IsSupplied => Source != ParameterValueSource.Caller;

    public bool IsOptional => Default is not null || IsParams;
}

/// <summary>Where a parameter's value comes from.</summary>
internal enum ParameterValueSource
{
    Caller,
    Token,
    Cluster,
}

/// <summary>The kind of a parameter's type, which determines the references that can be passed for it.</summary>
internal enum ParameterTypeKind
{
    /// <summary>A struct, a sealed class or an array: only a reference to this very type.</summary>
    Exact,

    /// <summary>A class that is not sealed: also references to derived types.</summary>
    Derived,

    /// <summary>An interface, which C# excludes from user-defined conversions.</summary>
    Interface,

    /// <summary><c>object</c> or <c>dynamic</c>: a reference is passed as the value.</summary>
    Anything,
}
