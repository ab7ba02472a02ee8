using Google.Protobuf;
using Google.Protobuf.Collections;
using Inference;
using Serve.Inference.Tensors;

namespace Serve.Inference.Grpc;

/// <summary>Tensors as gRPC's typed contents: a repeated field for each group of types. FP16 and BF16 have none and go raw.</summary>
internal static class TypedTensorContents
{
    private static readonly System.Text.UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether tensors of a type can be typed contents at all.</summary>
    public static bool CanHold(TensorType type) => type is not (TensorType.Float16 or TensorType.BFloat16);

    /// <summary>Reads a tensor.</summary>
    /// <exception cref="BadInputException">It is not what the head says; names it.</exception>
    public static Tensor Read(InputTensorHeader head, InferTensorContents contents) => head.RequireType() switch
    {
        TensorType.Bool => Take(head, contents, contents.BoolContents, static value => value),
        TensorType.UInt8 => Narrow(head, contents, contents.UintContents, static value => checked((byte)value)),
        TensorType.UInt16 => Narrow(head, contents, contents.UintContents, static value => checked((ushort)value)),
        TensorType.UInt32 => Take(head, contents, contents.UintContents, static value => value),
        TensorType.UInt64 => Take(head, contents, contents.Uint64Contents, static value => value),
        TensorType.Int8 => Narrow(head, contents, contents.IntContents, static value => checked((sbyte)value)),
        TensorType.Int16 => Narrow(head, contents, contents.IntContents, static value => checked((short)value)),
        TensorType.Int32 => Take(head, contents, contents.IntContents, static value => value),
        TensorType.Int64 => Take(head, contents, contents.Int64Contents, static value => value),
        TensorType.Float32 => Take(head, contents, contents.Fp32Contents, static value => value),
        TensorType.Float64 => Take(head, contents, contents.Fp64Contents, static value => value),
        TensorType.String => Texts(head, contents),
        var type => throw head.Fail($"{TensorTypes.NameOf(type)} has no typed contents; send raw_input_contents."),
    };

    /// <summary>Writes a tensor of a type that <see cref="CanHold"/>.</summary>
    public static InferTensorContents Write(Tensor tensor)
    {
        var contents = new InferTensorContents();
        switch (tensor)
        {
            case Tensor<bool> typed:
                contents.BoolContents.AddRange(typed.Values.Span);
                break;
            case Tensor<byte> typed:
                Add(contents.UintContents, typed.Values.Span, static value => value);
                break;
            case Tensor<ushort> typed:
                Add(contents.UintContents, typed.Values.Span, static value => value);
                break;
            case Tensor<uint> typed:
                contents.UintContents.AddRange(typed.Values.Span);
                break;
            case Tensor<ulong> typed:
                contents.Uint64Contents.AddRange(typed.Values.Span);
                break;
            case Tensor<sbyte> typed:
                Add(contents.IntContents, typed.Values.Span, static value => value);
                break;
            case Tensor<short> typed:
                Add(contents.IntContents, typed.Values.Span, static value => value);
                break;
            case Tensor<int> typed:
                contents.IntContents.AddRange(typed.Values.Span);
                break;
            case Tensor<long> typed:
                contents.Int64Contents.AddRange(typed.Values.Span);
                break;
            case Tensor<float> typed:
                contents.Fp32Contents.AddRange(typed.Values.Span);
                break;
            case Tensor<double> typed:
                contents.Fp64Contents.AddRange(typed.Values.Span);
                break;
            case Tensor<string> typed:
                Add(contents.BytesContents, typed.Values.Span, ByteString.CopyFromUtf8);
                break;
            default:
                throw new NotSupportedException($"{tensor} has no typed contents.");
        }

        return contents;
    }

    private static void Add<TFrom, TTo>(RepeatedField<TTo> target, ReadOnlySpan<TFrom> values, Func<TFrom, TTo> convert)
    {
        target.Capacity = values.Length;
        foreach (var value in values)
            target.Add(convert(value));
    }

    private static Tensor<TTo> Take<TFrom, TTo>(InputTensorHeader head, InferTensorContents contents, RepeatedField<TFrom> values, Func<TFrom, TTo> convert)
    {
        var count = head.Count();
        if (values.Count != count)
            throw head.Fail($"{head} has {count} elements; its field of contents has {values.Count}{Others(contents, values.Count)}.");
        var elements = new TTo[count];
        for (var index = 0; index < count; index++)
            elements[index] = convert(values[index]);
        return head.Over<TTo>(elements);
    }

    private static Tensor<TTo> Narrow<TFrom, TTo>(InputTensorHeader head, InferTensorContents contents, RepeatedField<TFrom> values, Func<TFrom, TTo> convert)
    {
        try
        {
            return Take(head, contents, values, convert);
        }
        catch (OverflowException)
        {
            throw head.Fail($"its contents have a number that {TensorTypes.NameOf(head.RequireType())} cannot hold.");
        }
    }

    private static Tensor<string> Texts(InputTensorHeader head, InferTensorContents contents)
    {
        try
        {
            return Take(head, contents, contents.BytesContents, static value => Strict.GetString(value.Span));
        }
        catch (System.Text.DecoderFallbackException broken)
        {
            throw head.Fail("its contents have a string that is no UTF-8.", broken);
        }
    }

    // Elements in the field of another type are a mistake that is easily made.
    private static string Others(InferTensorContents contents, int here)
    {
        var all = contents.BoolContents.Count + contents.IntContents.Count + contents.Int64Contents.Count + contents.UintContents.Count
            + contents.Uint64Contents.Count + contents.Fp32Contents.Count + contents.Fp64Contents.Count + contents.BytesContents.Count;
        return all > here ? $", its other fields {all - here}" : "";
    }
}
