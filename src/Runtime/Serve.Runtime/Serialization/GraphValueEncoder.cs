using Serve.Runtime.Methods;
using Serve.Runtime.Serialization.Graphs;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes all other values as graphs of objects, by their declared type; the graph contains the types of the objects where they differ from the declared ones.</summary>
internal sealed class GraphValueEncoder(GraphCodecSet codecs) : ValueTypeEncoder
{
    public override EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value)
    {
        declared = Nullable.GetUnderlyingType(declared) ?? declared;
        return Write(codec, declared, value, static (writer, declared) => writer.Store(declared));
    }

    /// <summary>Encodes a value that is sent outside of the values of a message: without object references and without shared memory.</summary>
    public byte[] EncodeSelfContained(Type declared, object value) => Write(null, declared, value, static (writer, _) => writer.ToArray());

    /// <summary>Returns the arrays of unmanaged elements in a value.</summary>
    public IReadOnlyList<Array> FindArrays(IValueCodec codec, object value)
    {
        var writer = GraphWriter.Rent(codec);
        try
        {
            return writer.FindArrays(() => codecs.Member<object?>().Write(writer, value));
        }
        finally
        {
            writer.Return();
        }
    }

    private T Write<T>(IValueCodec? codec, Type declared, object value, Func<GraphWriter, Type, T> complete)
    {
        var writer = GraphWriter.Rent(codec);
        try
        {
            codecs.Member(declared).WriteObject(writer, value);
            return complete(writer, declared);
        }
        catch (UnserializableValueException refused)
        {
            throw new NotSupportedException(Describe(value, refused), refused);
        }
        finally
        {
            writer.Return();
        }
    }

    public override object? Decode(EncodedObject stored, Type type) => GraphReader.Read(codecs, stored, type);

    private static string Describe(object value, UnserializableValueException refused)
    {
        var path = RefusalPath.Find(value, refused);
        if (path is { Members.Length: 0 })
            return $"{refused.Message}.";
        var remedy = path?.Owner is { } owner && !GraphTypeRules.IsPlatform(owner.DeclaringType!) ? $" {GraphTypeRules.FieldRemedy}." : "";
        return $"its {path?.Members ?? "content"} is of type {CSharpTypeNames.Format(refused.Value?.GetType() ?? refused.Type)}: {refused.Message}.{remedy}";
    }
}
