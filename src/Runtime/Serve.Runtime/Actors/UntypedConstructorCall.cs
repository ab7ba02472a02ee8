using System.Reflection;
using System.Text.Json;
using Serve.Calls;
using Serve.Runtime.Methods;

namespace Serve.Runtime.Actors;

/// <summary>A constructor call whose arguments are given as objects; they are converted to the parameters when it runs, and references are replaced by their values.</summary>
public sealed class UntypedConstructorCall<TActor> : MethodCall<TActor>
    where TActor : class
{
    private readonly ConstructorInfo _constructor;
    private readonly ParameterInfo[] _parameters;
    private readonly object?[] _arguments;

    /// <exception cref="BadInputException">The class does not have exactly one public constructor, or the arguments do not match it.</exception>
    public UntypedConstructorCall(object?[] arguments)
    {
        var constructors = typeof(TActor).GetConstructors();
        if (constructors.Length != 1 || typeof(TActor).IsAbstract)
            throw new BadInputException($"{typeof(TActor).Name} must be a non-abstract class with exactly one public constructor, but has {constructors.Length}.");
        _constructor = constructors[0];
        _parameters = _constructor.GetParameters();
        // Copied, because the caller may change its array.
        _arguments = [.. arguments];
        var required = _parameters.Count(parameter => !parameter.IsOptional);
        if (arguments.Length < required || arguments.Length > _parameters.Length)
        {
            var signature = string.Join(", ", _parameters.Select(parameter => $"{CSharpTypeNames.Format(parameter.ParameterType)} {parameter.Name}{(parameter.IsOptional ? "?" : "")}"));
            throw new BadInputException($"The constructor of {typeof(TActor).Name} takes ({signature}); {arguments.Length} argument(s) were given.");
        }

        for (var i = 0; i < arguments.Length; i++)
        {
            if (!StandsForValue(i))
                _arguments[i] = Fit(i, arguments[i]);
        }
    }

    public override string Method => ".ctor";

    public override bool HasRefs => Enumerable.Range(0, _arguments.Length).Any(StandsForValue);

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TActor> result)
    {
        var values = new object?[_parameters.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = i >= _arguments.Length ? ParameterDefaultValue.GetValue(_parameters[i])
                : StandsForValue(i) ? Fit(i, ((ObjectRef)_arguments[i]!).GetBoxedResult())
                : _arguments[i];
        }

        result = new((TActor)_constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, values, null));
        return true;
    }

    public override object?[] GetArguments() =>
    [
        .. _arguments.Select((argument, i) => StandsForValue(i) ? new ObjectRefArgument((ObjectRef)argument!) : argument),
        .. _parameters.Skip(_arguments.Length).Select(ParameterDefaultValue.GetValue),
    ];

    public override void CollectRefs(ICollection<ObjectRef> references)
    {
        for (var i = 0; i < _arguments.Length; i++)
        {
            if (StandsForValue(i))
                references.Add((ObjectRef)_arguments[i]!);
        }
    }

    // A reference for a parameter of a reference type is passed as it is.
    private bool StandsForValue(int index) => _arguments[index] is ObjectRef && !_parameters[index].ParameterType.IsAssignableTo(typeof(ObjectRef));

    private object? Fit(int index, object? value)
    {
        var parameter = _parameters[index];
        if (parameter.ParameterType.IsInstanceOfType(value) || (value is null && ParameterDefaultValue.AcceptsNull(parameter.ParameterType)))
            return value;
        try
        {
            return JsonSerializer.SerializeToElement(value, ServeJson.Calls).Deserialize(parameter.ParameterType, ServeJson.Calls);
        }
        catch (Exception thrown) when (thrown is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new BadInputException(
                $"The constructor of {typeof(TActor).Name}: argument {index + 1}, '{parameter.Name}', must be {CSharpTypeNames.Format(parameter.ParameterType)}; "
                + $"the given value is {(value is null ? "null" : CSharpTypeNames.Format(value.GetType()))}. {thrown.Message}", thrown);
        }
    }
}

/// <summary>Selects the constructor of an actor class by the number of arguments.</summary>
public static class ConstructorSelector
{
    /// <exception cref="BadInputException">No constructor has that number of parameters.</exception>
    public static ConstructorInfo Find(Type type, int count) =>
        Array.Find(type.GetConstructors(), constructor => constructor.GetParameters().Length == count)
        ?? throw new BadInputException($"{type.Name} has no public constructor with {count} parameter(s).");

    public static IReadOnlyList<ParameterInfo> ParametersFor(Type type, int count) => Find(type, count).GetParameters();
}
