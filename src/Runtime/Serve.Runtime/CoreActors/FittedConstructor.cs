using System.Reflection;
using System.Text.Json;
using Serve.Calls;
using Serve.Runtime.Methods;

namespace Serve.Runtime.CoreActors;

/// <summary>A constructor's call whose arguments were given as objects: fitted to the parameters when it runs, refs by what they stand for.</summary>
internal sealed class FittedConstructor<TActor> : MethodCall<TActor>
    where TActor : class
{
    private readonly ConstructorInfo constructor;
    private readonly ParameterInfo[] parameters;
    private readonly object?[] arguments;

    /// <exception cref="BadInputException">The class has not one public constructor, or the arguments do not fit it.</exception>
    public FittedConstructor(object?[] arguments)
    {
        var constructors = typeof(TActor).GetConstructors();
        if (constructors.Length != 1 || typeof(TActor).IsAbstract)
            throw new BadInputException($"{typeof(TActor).Name} has {constructors.Length} public constructors; an actor's class has exactly one and is not abstract.");
        constructor = constructors[0];
        parameters = constructor.GetParameters();
        // A copy: the caller's array is the caller's.
        this.arguments = [.. arguments];
        var required = parameters.Count(parameter => !parameter.IsOptional);
        if (arguments.Length < required || arguments.Length > parameters.Length)
        {
            var signature = string.Join(", ", parameters.Select(parameter => $"{TypeNames.Of(parameter.ParameterType)} {parameter.Name}{(parameter.IsOptional ? "?" : "")}"));
            throw new BadInputException($"The constructor of {typeof(TActor).Name} takes ({signature}); {arguments.Length} argument(s) came.");
        }

        for (var i = 0; i < arguments.Length; i++)
        {
            if (!StandsForValue(i))
                this.arguments[i] = Fit(i, arguments[i]);
        }
    }

    public override string Method => ".ctor";

    public override bool HasRefs => Enumerable.Range(0, arguments.Length).Any(StandsForValue);

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TActor> result)
    {
        var values = new object?[parameters.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = i >= arguments.Length ? ParameterDefault.Of(parameters[i])
                : StandsForValue(i) ? Fit(i, ((ObjectRef)arguments[i]!).Box())
                : arguments[i];
        }

        result = new((TActor)constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, values, null));
        return true;
    }

    public override object?[] GetArguments() =>
    [
        .. arguments.Select((argument, i) => StandsForValue(i) ? new RefArgument((ObjectRef)argument!) : argument),
        .. parameters.Skip(arguments.Length).Select(ParameterDefault.Of),
    ];

    public override void CollectRefs(ICollection<ObjectRef> references)
    {
        for (var i = 0; i < arguments.Length; i++)
        {
            if (StandsForValue(i))
                references.Add((ObjectRef)arguments[i]!);
        }
    }

    // A ref for a parameter that is itself a ref is the value.
    private bool StandsForValue(int index) => arguments[index] is ObjectRef && !parameters[index].ParameterType.IsAssignableTo(typeof(ObjectRef));

    private object? Fit(int index, object? value)
    {
        var parameter = parameters[index];
        if (parameter.ParameterType.IsInstanceOfType(value) || (value is null && ParameterDefault.TakesNull(parameter.ParameterType)))
            return value;
        try
        {
            return JsonSerializer.SerializeToElement(value, ServeJson.Calls).Deserialize(parameter.ParameterType, ServeJson.Calls);
        }
        catch (Exception thrown) when (thrown is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new BadInputException(
                $"The constructor of {typeof(TActor).Name}: argument {index + 1}, '{parameter.Name}', must be {TypeNames.Of(parameter.ParameterType)}; "
                + $"what came is {(value is null ? "null" : TypeNames.Of(value.GetType()))}. {thrown.Message}", thrown);
        }
    }
}
