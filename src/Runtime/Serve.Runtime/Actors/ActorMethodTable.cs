using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Serve.Runtime.Methods;

namespace Serve.Runtime;

/// <summary>
/// The public methods of a class that can be called by name, each bound once to a compiled delegate. Cancellation tokens are supplied by the runtime;
/// optional parameters may be omitted; arguments of another type are converted through JSON. Immutable.
/// </summary>
public sealed class ActorMethodTable
{
    // Weak keys, so that a collectible assembly can unload.
    private static readonly ConditionalWeakTable<Type, ConcurrentDictionary<JsonSerializerOptions, ActorMethodTable>> Tables = [];

    private readonly FrozenDictionary<string, ActorMethodInvoker[]> _methods;
    private readonly string _owner;

    private ActorMethodTable(string owner, JsonSerializerOptions json, FrozenDictionary<string, ActorMethodInvoker[]> methods)
    {
        _owner = owner;
        _methods = methods;
        Json = json;
        Names = [.. methods.Keys.Order(StringComparer.Ordinal)];
    }

    /// <summary>The sorted names of the callable methods.</summary>
    public IReadOnlyList<string> Names { get; }

    internal JsonSerializerOptions Json { get; }

    /// <summary>Returns the table of a class, created once per class and serializer options.</summary>
    /// <param name="type">The class.</param>
    /// <param name="json">Options for the conversion of arguments and results. Default: <see cref="ServeJson.Calls"/>.</param>
    public static ActorMethodTable For(Type type, JsonSerializerOptions? json = null) =>
        Tables.GetOrAdd(type, static _ => new()).GetOrAdd(json ?? ServeJson.Calls, static (json, type) => Reflect(type, json), type);

    /// <summary>Returns the table without some methods, for example the hooks of a class.</summary>
    /// <param name="names">Methods that cannot be called by name.</param>
    /// <returns>A new table that shares the compiled delegates.</returns>
    public ActorMethodTable Without(params IEnumerable<string> names) =>
        new(_owner, Json, _methods.Where(method => !names.Contains(method.Key)).ToFrozenDictionary(StringComparer.Ordinal));

    /// <summary>Returns the table with some methods replaced by queued methods of the same names.</summary>
    /// <param name="queued">The queued methods.</param>
    /// <returns>A new table that shares the compiled delegates.</returns>
    public ActorMethodTable With(params IEnumerable<QueuedActorMethod> queued)
    {
        var replaced = queued.ToDictionary(method => method.Method.Name, method => new[] { new ActorMethodInvoker(_owner, method) }, StringComparer.Ordinal);
        return new(_owner, Json, _methods.Where(method => !replaced.ContainsKey(method.Key)).Concat(replaced).ToFrozenDictionary(StringComparer.Ordinal));
    }

    /// <summary>Returns the object that receives compiled calls of a queued method; null for methods that are not queued.</summary>
    internal object? QueueTargetOf(string name) => _methods.TryGetValue(name, out var overloads) ? overloads[0].Taker : null;

    /// <summary>Returns the traits of a method. Unknown methods are treated as non-blocking.</summary>
    internal ActorMethodTraits TraitsOf(string name) => _methods.TryGetValue(name, out var overloads) ? overloads[0].Traits : ActorMethodTraits.TakesToken;

    /// <summary>Returns the concurrency group of a method; null for the default group and for unknown methods.</summary>
    internal string? GroupOf(string name) => _methods.TryGetValue(name, out var overloads) ? overloads[0].Group : null;

    /// <summary>Finds the method with this name and number of arguments.</summary>
    /// <exception cref="BadInputException">There is no such method.</exception>
    public ActorMethodInvoker Find(string name, int count)
    {
        if (!_methods.TryGetValue(name, out var overloads))
            throw new BadInputException($"{_owner} has no method '{name}'.{Suggest(name)}");
        return Array.Find(overloads, method => count >= method.Required && count <= method.Parameters.Length) ?? throw Misfit(overloads, count);
    }

    /// <summary>Finds the method for the arguments and converts them to its parameters.</summary>
    /// <exception cref="BadInputException">There is no such method, the number of arguments is wrong, or an argument cannot be converted.</exception>
    internal BoundMethodCall Bind(string name, ICallArguments arguments)
    {
        if (!_methods.TryGetValue(name, out var overloads))
            throw new BadInputException($"{_owner} has no method '{name}'.{Suggest(name)}");
        var count = arguments.Count;
        BadInputException? misfit = null;
        foreach (var method in overloads)
        {
            if (count < method.Required || count > method.Parameters.Length)
                continue;
            try
            {
                return new BoundMethodCall(method, arguments.Fit(method, Json));
            }
            catch (BadInputException thrown)
            {
                misfit ??= thrown;
            }
        }

        throw misfit ?? Misfit(overloads, count);
    }

    private static ActorMethodTable Reflect(Type type, JsonSerializerOptions json) =>
        new(type.Name, json, type
            .GetMethods(BindingFlags.Public | BindingFlags.Instance)
            .Where(IsCallable)
            .Select(method => new ActorMethodInvoker(type, method))
            .GroupBy(method => method.Name, StringComparer.Ordinal)
            .ToFrozenDictionary(group => group.Key, group => group.OrderBy(method => method.Parameters.Length).ToArray(), StringComparer.Ordinal));

    private static BadInputException Misfit(ActorMethodInvoker[] overloads, int count) =>
        new($"{overloads[0].FullName} takes {string.Join(" or ", overloads.Select(method => method.Signature))}; {count} argument(s) were given.");

    private static bool IsCallable(MethodInfo method) =>
        !method.IsSpecialName
        && !method.ContainsGenericParameters
        && method.GetBaseDefinition().DeclaringType != typeof(object)
        && !method.ReturnType.IsByRef && !method.ReturnType.IsByRefLike
        && method.GetParameters().All(parameter => !parameter.ParameterType.IsByRef && !parameter.ParameterType.IsByRefLike && !parameter.ParameterType.IsPointer)
        && !(method.GetParameters().Length == 0 && method.Name is nameof(IDisposable.Dispose) or nameof(IAsyncDisposable.DisposeAsync));

    private string Suggest(string name) =>
        Names.Count == 0 ? " The class has no public methods."
        : (NearestNameFinder.Find(name, Names) is { } nearest ? $" Did you mean '{nearest}'?" : "") + $" Methods: {string.Join(", ", Names)}.";
}

/// <summary>
/// A method whose calls do not run one by one as turns of the actor, but are passed to a queue object of the instance, which decides when and in which batch user code runs.
/// Waiting calls hold no turn. Calls receive the caller's token unchanged; the queue object itself observes that the actor is being stopped.
/// </summary>
/// <param name="Method">The public method that callers call: its parameters, and its result or stream.</param>
/// <param name="Facade">What <paramref name="Method"/> is called on.</param>
/// <param name="QueueTarget">What compiled callers are handed instead of the actor's object; an <see cref="Serve.Calls.IBatched{TItem, TResult}"/>.</param>
public sealed record QueuedActorMethod(MethodInfo Method, object Facade, object QueueTarget);
