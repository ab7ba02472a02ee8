namespace Serve.Generators.Models;

/// <summary>One method of a deployment or an actor, or a remote function.</summary>
/// <param name="Name">Its name, unescaped.</param>
/// <param name="Shape">What it returns.</param>
/// <param name="IsValueTask">Whether that is a <c>ValueTask</c> rather than a <c>Task</c>, where it is one of them.</param>
/// <param name="Result">The type of its result or of its items, fully qualified; null when it returns nothing.</param>
/// <param name="Parameters">Its parameters, those among them that the caller does not give.</param>
/// <param name="IsBatched">Whether it works on many items at once, so that no caller may invoke it: the replica gathers their calls.</param>
internal sealed record CallableMethodModel(string Name, MethodReturnShape Shape, bool IsValueTask, string? Result, EquatableArray<MethodParameterModel> Parameters, bool IsBatched = false)
{
    public bool IsStream => Shape is MethodReturnShape.Stream or MethodReturnShape.TaskOfStream;

    public bool IsAsync => Shape is not (MethodReturnShape.Nothing or MethodReturnShape.Value);

    public bool TakesToken => Parameters.Any(parameter => parameter.Source == ParameterValueSource.Token);

    public IEnumerable<MethodParameterModel> Arguments => Parameters.Where(parameter => !parameter.IsSupplied);
}
