using System.Reflection;
using System.Text.Json;
using Serve.Calls;
using Serve.Runtime.Methods;

namespace Serve.Runtime.CoreActors;

/// <summary>A constructor's call whose arguments were given as objects: fitted to the parameters when it runs, refs by what they stand for.</summary>
internal sealed class UntypedConstructorCall<TActor> : MethodCall<TActor>
    where TActor : class
{
    private readonly ConstructorInfo _constructor;
    private readonly ParameterInfo[] _parameters;
    private readonly object?[] _arguments;

    /// <exception cref="BadInputException">The class has not one public constructor, or the arguments do not fit it.</exception>
    public UntypedConstructorCall(object?[] arguments)
    {
        var constructors = typeof(TActor).GetConstructors();
        if (constructors.Length != 1 || typeof(TActor).IsAbstract)
            throw new BadInputException($"{typeof(TActor).Name} has {constructors.Length} public constructors; an actor's class has exactly one and is not abstract.");
        _constructor = constructors[0];
        _parameters = _constructor.GetParameters();
        // A copy: the caller's array is the caller's.
        this._arguments = [.. arguments];
        var required = _parameters.Count(parameter => !parameter.IsOptional);
        if (arguments.Length < required || arguments.Length > _parameters.Length)
        {
            var signature = string.Join(", ", _parameters.Select(parameter => $"{CSharpTypeNames.Format(parameter.ParameterType)} {parameter.Name}{(parameter.IsOptional ? "?" : "")}"));
            throw new BadInputException($"The constructor of {typeof(TActor).Name} takes ({signature}); {arguments.Length} argument(s) came.");
        }

        for (var i = 0; i < arguments.Length; i++)
        {
            if (!StandsForValue(i))
                this._arguments[i] = Fit(i, arguments[i]);
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

    // A ref for a parameter that is itself a ref is the value.
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
                + $"what came is {(value is null ? "null" : CSharpTypeNames.Format(value.GetType()))}. {thrown.Message}", thrown);
        }
    }
}
