using System.Runtime.InteropServices;
using Serve.Calls;
using Serve.Runtime.Methods;

namespace Serve.Runtime.Serialization;

/// <summary>
/// Checks of <see cref="ClusterOptions.CheckValues"/>: in this process, arguments and results could be sent to a worker; in both isolations, a call writes to no array
/// in its arguments. Thread-safe.
/// </summary>
public sealed class ValueCheck(ObjectValueCodec codec)
{
    /// <summary>Checks that a value could be sent to a worker.</summary>
    /// <exception cref="NotSerializableException">It could not.</exception>
    public void RequireSerializable(object? value, string subject) => codec.Encode(typeof(object), value, subject);

    /// <summary>Checks that the arguments of a call could be sent, and watches the arrays in them.</summary>
    /// <exception cref="NotSerializableException">An argument could not be sent.</exception>
    public WatchedArguments Begin(string name, object?[] arguments)
    {
        var watched = new List<WatchedArray>();
        for (var position = 0; position < arguments.Length; position++)
        {
            var value = arguments[position] is ObjectRefArgument argument ? argument.Reference.GetBoxedResult() : arguments[position];
            if (value is null or CancellationToken)
                continue;
            RequireSerializable(value, $"argument {position + 1} of {name}");
            watched.AddRange(codec.FindArrays(value).Select(array => new WatchedArray(array, position + 1, WatchedArray.HashOf(array))));
        }

        return new(this, name, watched);
    }
}

/// <summary>Arrays in the arguments of a running call.</summary>
public sealed class WatchedArguments
{
    private readonly ValueCheck _check;
    private readonly string _name;
    private readonly IReadOnlyList<WatchedArray> _arrays;

    internal WatchedArguments(ValueCheck check, string name, IReadOnlyList<WatchedArray> arrays) => (_check, _name, _arrays) = (check, name, arrays);

    /// <summary>Throws if the call has written to an array in its arguments.</summary>
    /// <exception cref="InvalidOperationException">It has.</exception>
    public void RequireUnmodified()
    {
        if (_arrays.FirstOrDefault(watched => watched.Hash != WatchedArray.HashOf(watched.Array)) is { Array: { } array, Position: var position })
            throw new InvalidOperationException($"{_name} wrote to an array in argument {position} ({CSharpTypeNames.Format(array.GetType())} of {array.LongLength:N0} elements). Arguments and objects are shared with other readers and are read-only: write to a copy.");
    }

    /// <summary>Waits for a call of this process, then checks its arguments and its result.</summary>
    public async ValueTask<TResult> CompleteAsync<TResult>(ValueTask<TResult> call)
    {
        var result = await call.ConfigureAwait(false);
        RequireUnmodified();
        _check.RequireSerializable(result, $"the result of {_name}");
        return result;
    }
}

/// <summary>An array in an argument, with the hash of its elements before the call.</summary>
internal readonly record struct WatchedArray(Array Array, int Position, int Hash)
{
    public static int HashOf(Array array)
    {
        var hash = new HashCode();
        var length = array.LongLength * ValueTypeTraits.SizeOf(array.GetType().GetElementType()!);
        ref var start = ref MemoryMarshal.GetArrayDataReference(array);
        for (var done = 0L; done < length; done += int.MaxValue)
            hash.AddBytes(MemoryMarshal.CreateReadOnlySpan(ref System.Runtime.CompilerServices.Unsafe.AddByteOffset(ref start, (nint)done), (int)Math.Min(int.MaxValue, length - done)));
        return hash.ToHashCode();
    }
}
