using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Inference;
using Serve.Inference.Rest;

namespace Serve.Inference.Tensors;

/// <summary>
/// The protocol's representations of one datatype: JSON values, typed gRPC contents, classification texts. The table has one row per <see cref="TensorType"/>; sizes, names
/// and .NET types are in <see cref="TensorTypes"/>.
/// </summary>
internal abstract class TensorElementFormat
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // In the order of TensorType.
    private static readonly TensorElementFormat[] Table =
    [
        new TensorElementFormat<bool, BoolJson, bool>(static contents => contents.BoolContents),
        new TensorElementFormat<byte, IntegerJson<byte>, uint>(static contents => contents.UintContents, static value => checked((byte)value), static value => value),
        new TensorElementFormat<ushort, IntegerJson<ushort>, uint>(static contents => contents.UintContents, static value => checked((ushort)value), static value => value),
        new TensorElementFormat<uint, IntegerJson<uint>, uint>(static contents => contents.UintContents),
        new TensorElementFormat<ulong, IntegerJson<ulong>, ulong>(static contents => contents.Uint64Contents),
        new TensorElementFormat<sbyte, IntegerJson<sbyte>, int>(static contents => contents.IntContents, static value => checked((sbyte)value), static value => value),
        new TensorElementFormat<short, IntegerJson<short>, int>(static contents => contents.IntContents, static value => checked((short)value), static value => value),
        new TensorElementFormat<int, IntegerJson<int>, int>(static contents => contents.IntContents),
        new TensorElementFormat<long, IntegerJson<long>, long>(static contents => contents.Int64Contents),
        new TensorElementFormat<Half, HalfJson, float>(),
        new TensorElementFormat<BFloat16, BFloat16Json, float>(),
        new TensorElementFormat<float, SingleJson, float>(static contents => contents.Fp32Contents),
        new TensorElementFormat<double, DoubleJson, double>(static contents => contents.Fp64Contents),
        new TensorElementFormat<string, StringJson, ByteString>(static contents => contents.BytesContents, static value => StrictUtf8.GetString(value.Span), ByteString.CopyFromUtf8),
    ];

    /// <summary>Gets whether typed contents exist for the datatype; without them its tensors are raw contents.</summary>
    public abstract bool HasContents { get; }

    public static TensorElementFormat Of(TensorType type) => Table[(int)type];

    /// <summary>Reads the elements that follow in a JSON document, nested like the shape or flat.</summary>
    /// <param name="json">Reader before the value.</param>
    /// <param name="header">Type and shape of the tensor.</param>
    /// <param name="jsonLength">Length of the whole document in bytes, which bounds the number of elements.</param>
    /// <param name="owner">Owner of the elements' memory.</param>
    /// <exception cref="BadInputException">The data does not match the header; names the tensor.</exception>
    public abstract Tensor ReadJson(ref Utf8JsonReader json, InputTensorHeader header, int jsonLength, InferenceRequest owner);

    /// <summary>Writes the elements as JSON values, flat, in row-major order.</summary>
    /// <param name="json">Writer within the array.</param>
    /// <param name="name">Name of the output, for errors.</param>
    /// <param name="tensor">The output.</param>
    /// <exception cref="BadInputException">An element is not finite, which JSON cannot represent.</exception>
    public abstract void WriteJson(Utf8JsonWriter json, string name, Tensor tensor);

    /// <summary>Reads typed contents.</summary>
    /// <exception cref="BadInputException">The contents do not match the header; names the tensor.</exception>
    public abstract Tensor ReadContents(InputTensorHeader header, InferTensorContents contents);

    /// <summary>Writes typed contents.</summary>
    public abstract InferTensorContents WriteContents(Tensor tensor);

    /// <inheritdoc cref="ClassificationOutputs.Rank{T}"/>
    public abstract Tensor<string> Rank(Tensor tensor, int classes, bool hasBatch);
}

/// <summary>The representations of elements of type <typeparamref name="T"/>.</summary>
/// <typeparam name="T">The .NET type of an element.</typeparam>
/// <typeparam name="TJson">Its JSON values.</typeparam>
/// <typeparam name="TContents">The type of its field of typed contents.</typeparam>
/// <param name="select">Selects the field of typed contents; null if the datatype has none.</param>
/// <param name="read">Converts an element of the field to another type; throws <see cref="OverflowException"/> if it is out of range, <see cref="DecoderFallbackException"/> if it is not UTF-8.</param>
/// <param name="write">Converts an element to the field's type. Both are null if the types are the same.</param>
internal sealed class TensorElementFormat<T, TJson, TContents>(
    Func<InferTensorContents, RepeatedField<TContents>>? select = null, Func<TContents, T>? read = null, Func<T, TContents>? write = null) : TensorElementFormat
    where TJson : struct, IJsonElement<T>
{
    public override bool HasContents => select is not null;

    public override Tensor ReadJson(ref Utf8JsonReader json, InputTensorHeader header, int jsonLength, InferenceRequest owner) =>
        JsonTensorReader.Read<T, TJson>(ref json, header, jsonLength, owner);

    public override void WriteJson(Utf8JsonWriter json, string name, Tensor tensor)
    {
        var elements = tensor.Data<T>().Span;
        for (var index = 0; index < elements.Length; index++)
        {
            if (!TJson.IsFinite(elements[index]))
            {
                throw new BadInputException(string.Create(
                    CultureInfo.InvariantCulture, $"output '{name}': element {index} is {elements[index]}, which JSON cannot represent; request the output with the parameter binary_data."));
            }

            TJson.Write(json, elements[index]);
        }
    }

    public override Tensor ReadContents(InputTensorHeader header, InferTensorContents contents)
    {
        if (select is null)
            throw header.Fail($"{TensorTypes.NameOf(header.RequireType())} has no typed contents; send raw_input_contents.");
        var (count, values) = (header.Count(), select(contents));
        if (values.Count != count)
            throw header.Fail($"{header} has {count} elements, but its field of contents has {values.Count}{DescribeOtherFields(contents, values.Count)}.");
        var elements = new T[count];
        if ((object)elements is TContents[] same)
        {
            values.CopyTo(same, 0);
            return header.Over<T>(elements);
        }

        try
        {
            for (var index = 0; index < count; index++)
                elements[index] = read!(values[index]);
        }
        catch (OverflowException)
        {
            throw header.Fail($"contents have a number out of range for {TensorTypes.NameOf(header.RequireType())}.");
        }
        catch (DecoderFallbackException error)
        {
            throw header.Fail("contents have a string that is not valid UTF-8.", error);
        }

        return header.Over<T>(elements);
    }

    public override InferTensorContents WriteContents(Tensor tensor)
    {
        var contents = new InferTensorContents();
        var values = select!(contents);
        var elements = tensor.Data<T>().Span;
        if (typeof(T) == typeof(TContents))
        {
            values.AddRange(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<T, TContents>(ref MemoryMarshal.GetReference(elements)), elements.Length));
            return contents;
        }

        values.Capacity = elements.Length;
        foreach (var element in elements)
            values.Add(write!(element));
        return contents;
    }

    public override Tensor<string> Rank(Tensor tensor, int classes, bool hasBatch) => tensor is Tensor<BFloat16> narrow
        ? ClassificationOutputs.Rank(Tensor.Of(Array.ConvertAll(narrow.Values.ToArray(), static value => (float)value), [.. tensor.Shape]), classes, hasBatch)
        : ClassificationOutputs.Rank((Tensor<T>)tensor, classes, hasBatch);

    // Elements in the field of another datatype are a common mistake.
    private static string DescribeOtherFields(InferTensorContents contents, int own)
    {
        var all = contents.BoolContents.Count + contents.IntContents.Count + contents.Int64Contents.Count + contents.UintContents.Count
            + contents.Uint64Contents.Count + contents.Fp32Contents.Count + contents.Fp64Contents.Count + contents.BytesContents.Count;
        return all > own ? $", other fields {all - own}" : "";
    }
}
