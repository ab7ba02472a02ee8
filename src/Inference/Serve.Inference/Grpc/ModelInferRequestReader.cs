using Inference;
using Serve.Inference.Tensors;

namespace Serve.Inference.Grpc;

/// <summary>Parser of ModelInferRequest messages (inference.proto). Raw contents are used in place; typed contents go through the generated class.</summary>
internal static class ModelInferRequestReader
{
    /// <summary>Parses a request.</summary>
    /// <param name="message">The message.</param>
    /// <param name="request">Receives the contents.</param>
    /// <returns>The model's name, and whether the tensors are raw contents.</returns>
    /// <exception cref="BadInputException">The message is malformed; the error names the tensor, if any.</exception>
    public static (string Model, bool IsRaw) Read(Memory<byte> message, InferenceRequest request)
    {
        var model = "";
        var heads = new List<InputTensorHeader>();
        var contents = new List<Memory<byte>?>();
        var raw = new List<Memory<byte>>();
        var reader = new ProtobufFieldReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case ModelInferRequest.ModelNameFieldNumber:
                    model = reader.ReadString();
                    break;
                case ModelInferRequest.ModelVersionFieldNumber:
                    request.Version = reader.ReadString();
                    break;
                case ModelInferRequest.IdFieldNumber:
                    request.Id = reader.ReadString();
                    break;
                case ModelInferRequest.ParametersFieldNumber:
                    ReadParameter(reader.ReadBytes(), request);
                    break;
                case ModelInferRequest.InputsFieldNumber:
                    var head = new InputTensorHeader($"#{heads.Count}");
                    contents.Add(ReadInput(reader.ReadBytes(), head));
                    heads.Add(head);
                    break;
                case ModelInferRequest.OutputsFieldNumber:
                    request.Outputs.Add(ReadOutput(reader.ReadBytes(), request.Outputs.Count));
                    break;
                case ModelInferRequest.RawInputContentsFieldNumber:
                    raw.Add(reader.ReadBytes());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        if (raw.Count > 0)
            TakeRaw(heads, contents, raw, request);
        else
            TakeTyped(heads, contents, request);
        return (model, raw.Count > 0);
    }

    private static void TakeRaw(List<InputTensorHeader> heads, List<Memory<byte>?> contents, List<Memory<byte>> raw, InferenceRequest request)
    {
        if (raw.Count != heads.Count)
            throw new BadInputException($"raw_input_contents must have one entry per input, but has {raw.Count} for {heads.Count} inputs.");
        for (var index = 0; index < heads.Count; index++)
        {
            if (contents[index] is not null)
                throw heads[index].Fail("contents and raw_input_contents are mutually exclusive.");
            request.Inputs.Add(new(heads[index].Name, BinaryTensorCodec.Read(heads[index], raw[index], request)));
        }
    }

    private static void TakeTyped(List<InputTensorHeader> heads, List<Memory<byte>?> contents, InferenceRequest request)
    {
        for (var index = 0; index < heads.Count; index++)
        {
            var head = heads[index];
            var typed = contents[index] is { } bytes ? InferTensorContents.Parser.ParseFrom(bytes.Span) : new InferTensorContents();
            request.Inputs.Add(new(head.Name, TensorElementFormat.Of(head.RequireType()).ReadContents(head, typed)));
        }
    }

    private static Memory<byte>? ReadInput(Memory<byte> message, InputTensorHeader head)
    {
        Memory<byte>? contents = null;
        string? datatype = null;
        List<long> shape = [];
        var reader = new ProtobufFieldReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case ModelInferRequest.Types.InferInputTensor.NameFieldNumber:
                    head.Name = reader.ReadString();
                    break;
                case ModelInferRequest.Types.InferInputTensor.DatatypeFieldNumber:
                    datatype = reader.ReadString();
                    break;
                case ModelInferRequest.Types.InferInputTensor.ShapeFieldNumber:
                    reader.ReadVarints(shape);
                    break;
                case ModelInferRequest.Types.InferInputTensor.ContentsFieldNumber:
                    contents = reader.ReadBytes();
                    break;
                case ModelInferRequest.Types.InferInputTensor.ParametersFieldNumber:
                    if (ReadEntry(reader.ReadBytes()).Key == "shared_memory_region")
                        throw head.Fail("shared memory regions are not supported; send contents or raw_input_contents.");
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        head.Shape = [.. shape];
        head.SetType(datatype);
        return contents;
    }

    private static RequestedModelOutput ReadOutput(Memory<byte> message, int index)
    {
        string? name = null;
        var classes = 0;
        var reader = new ProtobufFieldReader(message);
        while (reader.Next())
        {
            if (reader.Field == ModelInferRequest.Types.InferRequestedOutputTensor.NameFieldNumber)
                name = reader.ReadString();
            else if (reader.Field == ModelInferRequest.Types.InferRequestedOutputTensor.ParametersFieldNumber)
                ReadOutputParameter(reader.ReadBytes(), name ?? $"#{index}", ref classes);
            else
                reader.Skip();
        }

        return new(name ?? throw new BadInputException($"output #{index}: name is missing."), null, classes);
    }

    private static void ReadParameter(Memory<byte> entry, InferenceRequest request)
    {
        var (key, value) = ReadEntry(entry);
        if (key == "priority")
            request.ApplyPriority(ReadAmount(key, value));
        else if (key == "timeout")
            request.ApplyTimeout(ReadAmount(key, value), TimeProvider.System);
    }

    private static ulong ReadAmount(string name, Memory<byte> value)
    {
        var parameter = InferParameter.Parser.ParseFrom(value.Span);
        return parameter.ParameterChoiceCase switch
        {
            InferParameter.ParameterChoiceOneofCase.Uint64Param => parameter.Uint64Param,
            InferParameter.ParameterChoiceOneofCase.Int64Param when parameter.Int64Param >= 0 => (ulong)parameter.Int64Param,
            _ => throw new BadInputException($"The request's {name} must be an integer of at least 0, as uint64_param or int64_param, but was {parameter}."),
        };
    }

    private static void ReadOutputParameter(Memory<byte> entry, string output, ref int classes)
    {
        var (key, value) = ReadEntry(entry);
        if (key == "shared_memory_region")
            throw new BadInputException($"output '{output}': the parameter shared_memory_region is not supported.");
        if (key != "classification")
            return;
        var parameter = InferParameter.Parser.ParseFrom(value.Span);
        classes = parameter.ParameterChoiceCase == InferParameter.ParameterChoiceOneofCase.Int64Param && parameter.Int64Param is >= 0 and <= int.MaxValue and var count
            ? (int)count
            : throw new BadInputException($"output '{output}': classification must be a number of classes, as int64_param, but was {parameter}.");
    }

    // In a map entry, the key is field 1 and the value is field 2.
    private static (string Key, Memory<byte> Value) ReadEntry(Memory<byte> entry)
    {
        var (key, value) = ("", Memory<byte>.Empty);
        var reader = new ProtobufFieldReader(entry);
        while (reader.Next())
        {
            if (reader.Field == 1)
                key = reader.ReadString();
            else if (reader.Field == 2)
                value = reader.ReadBytes();
            else
                reader.Skip();
        }

        return (key, value);
    }
}
